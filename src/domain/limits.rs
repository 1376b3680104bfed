//! Bounds that several rooms keep.

/// Bytes of a text that is looked up by itself: a name, a client id, the id of a user. An index of PostgreSQL holds no
/// more than about 2600; both databases are given the same.
pub const LONGEST_NAME: usize = 1024;
/// Bytes of a token or key that is brought from elsewhere. It is looked up by its digest, so no index minds; a header
/// field that carries it must fit the head of a request.
pub const LONGEST_TOKEN: usize = 4096;
/// Live secrets of one client, its own included: a wrong one costs as many slow hashes.
pub const MOST_SECRETS: usize = 5;

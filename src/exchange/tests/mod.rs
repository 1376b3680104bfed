//! Files as they are found, and what is read of them.

mod document;

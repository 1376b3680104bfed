//! The people who can log in. Yours are in a database, their passwords hashed slowly, and wrong ones are counted.

use subtle::ConstantTimeEq;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Person {
    /// What the API behind the gateway gets as `X-Authenticated-Userid`.
    pub id: &'static str,
    pub name: &'static str,
}

const PEOPLE: [(&str, &str, Person); 2] = [
    ("alice", "wonderland", Person { id: "user-1", name: "Alice Liddell" }),
    ("bob", "builder", Person { id: "user-2", name: "Bob Smith" }),
];

/// The person with this user name and password.
pub fn find(username: &str, password: &str) -> Option<Person> {
    let mut found = None;
    for (known, secret, person) in PEOPLE {
        let is_right = secret.as_bytes().ct_eq(password.as_bytes());
        if known == username && bool::from(is_right) {
            found = Some(person);
        }
    }
    found
}

pub fn hint() -> String {
    PEOPLE.map(|(username, password, _)| format!("{username} ({password})")).join(" or ")
}

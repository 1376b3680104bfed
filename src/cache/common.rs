//! What the tokens of an application have in common, held once: there may be thousands of them, and a worker that serves
//! many at random should find whose they are in memory that it has just used.

use std::sync::Arc;

use hashlink::LruCache;
use uuid::Uuid;

use crate::domain::{Consumer, TokenView};

/// Of the application of every token that was looked up last.
pub struct Common(LruCache<Uuid, Part>);

struct Part {
    consumer: Arc<Consumer>,
    client_id: Arc<str>,
    scope: Option<Arc<str>>,
}

impl Common {
    /// Of so many applications.
    pub fn new(capacity: usize) -> Self {
        Self(LruCache::new(capacity))
    }

    /// Has `view` hold the same texts as the views of its application before it, as far as they are equal.
    pub fn share(&mut self, view: &mut TokenView) {
        let TokenView { credential_id, consumer, client_id, scope, .. } = view;
        let Some(known) = self.0.get_mut(credential_id) else {
            let part = Part { consumer: Arc::clone(consumer), client_id: Arc::clone(client_id), scope: scope.clone() };
            self.0.insert(*credential_id, part);
            return;
        };
        share(&mut known.consumer, consumer);
        share(&mut known.client_id, client_id);
        match (&mut known.scope, scope) {
            (Some(known), Some(scope)) => share(known, scope),
            (known, scope) => known.clone_from(scope),
        }
    }
}

/// The newer one is right where they differ.
fn share<T: ?Sized + PartialEq>(known: &mut Arc<T>, new: &mut Arc<T>) {
    if **known == **new {
        *new = Arc::clone(known);
    } else {
        *known = Arc::clone(new);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;

    fn view() -> TokenView {
        TokenView {
            id: Uuid::nil(),
            credential_id: Uuid::nil(),
            family_id: Uuid::nil(),
            client_id: "client".into(),
            consumer: Arc::new(Consumer { id: Uuid::nil(), username: Some("ann".to_owned()), custom_id: None }),
            service_id: None,
            scope: None,
            authenticated_userid: None,
            created_at: Timestamp::from_seconds(1),
            expires_in: 0,
            expires_at: None,
        }
    }

    #[test]
    fn what_is_equal_is_held_once_and_what_changed_is_told_as_it_is() {
        let mut common = Common::new(2);
        let views = ["email", "email", "phone"].map(|scope| {
            let mut view = TokenView { scope: Some(scope.into()), ..view() };
            common.share(&mut view);
            view
        });
        let scope = |nth: usize| views[nth].scope.as_ref().unwrap();
        assert!(Arc::ptr_eq(&views[0].consumer, &views[2].consumer));
        assert!(Arc::ptr_eq(&views[0].client_id, &views[1].client_id) && Arc::ptr_eq(scope(0), scope(1)));
        assert_eq!(&**scope(2), "phone");
        let mut renamed = TokenView { client_id: "renamed".into(), ..view() };
        common.share(&mut renamed);
        assert_eq!(&*renamed.client_id, "renamed");
        let mut next = TokenView { client_id: "renamed".into(), ..view() };
        common.share(&mut next);
        assert!(Arc::ptr_eq(&renamed.client_id, &next.client_id));
    }
}

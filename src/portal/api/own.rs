//! One's own application, as the path names it.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};

use super::super::reply::Reply;
use super::super::session::Member;
use super::super::state::PortalState;
use crate::engine::catalog::Key;
use crate::engine::registration::{Application, Scope};

/// An application of who is logged in. Another developer's is answered as none: 404.
pub(super) struct Own {
    pub scope: Scope,
    pub application: Application,
}

impl FromRequest for Own {
    type Error = Reply;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Reply>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, member) = (request.clone(), Member::from_request(request, payload));
        Box::pin(async move {
            let scope = Scope::Developer(member.await?.0.developer.id);
            let state = request.app_data::<Data<PortalState>>().ok_or_else(Reply::not_found)?;
            let key = key(&request, "application")?;
            let application = state.registration.application(scope, &key).await?;
            Ok(Self { scope, application })
        })
    }
}

/// A part of the path that is an id.
///
/// # Errors
/// 404: what is no id is the id of nothing.
pub(super) fn key(request: &HttpRequest, name: &str) -> Result<Key, Reply> {
    match request.match_info().get(name).map(Key::parse) {
        Some(Key::Id(id)) => Ok(Key::Id(id)),
        Some(Key::Name(_)) | None => Err(Reply::not_found()),
    }
}

//! Who is logged in.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};

use super::errors::unauthorized;
use super::reply::Reply;
use super::state::PortalState;
use crate::engine::accounts::Visit;

/// A developer who is logged in. A handler of the API that takes one answers 401 to everybody else.
#[derive(Clone, Debug)]
pub(super) struct Member(pub Visit);

impl FromRequest for Member {
    type Error = Reply;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Reply>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let state = request.app_data::<Data<PortalState>>().ok_or_else(Reply::not_found)?;
            visit(&request, state).await?.map(Self).ok_or_else(|| unauthorized("Unauthorized"))
        })
    }
}

/// The session of a request's cookie; `None`: nobody is logged in.
///
/// # Errors
/// The store failed.
pub(super) async fn visit(request: &HttpRequest, state: &PortalState) -> Result<Option<Visit>, Reply> {
    match state.cookie().read(request) {
        Some(cookie) => Ok(state.accounts.visit(&cookie).await?),
        None => Ok(None),
    }
}

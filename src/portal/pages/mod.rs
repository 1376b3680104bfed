//! The portal's pages: server-rendered, and better with a script.
//!
//! A handler gets a [`guest::Guest`] (who asks, and their CSRF token), and for forms a [`guest::Posted`], whose token and
//! origin are checked before the handler sees it. After a form was taken the browser is sent on (303), but for secrets that
//! are shown once: those stand in the answer itself.
//!
//! **Invariants:** another developer's ids are answered as ids of nothing; what a page says after a redirect is one of a few
//! sentences of ours, chosen by a word in the query; a path to go on to is one of ours.
//!
//! **Absent on purpose:** rules (room `engine`), the JSON API (beside it).

mod account;
mod application;
mod applications;
mod catalog;
mod credentials;
mod desk;
mod guest;
mod mails;
mod said;
mod settings;

use actix_web::Route;
use actix_web::guard::{Any, Get, Head};
use actix_web::web::{Data, ServiceConfig, post, resource, route};

pub use desk::Desk;

/// Adds the pages to an App.
pub fn configure(config: &mut ServiceConfig, desk: Data<Desk>) {
    config.app_data(desk);
    config.service(resource("/").route(reading().to(catalog::home)));
    config.service(resource("/assets/{digest}/{name}").route(reading().to(catalog::asset)));
    config.service(resource("/catalog").route(reading().to(catalog::list)));
    config.service(resource("/catalog/{service}").route(reading().to(catalog::service)));
    config.service(resource("/catalog/{service}/spec").route(reading().to(catalog::spec)));
    config.service(resource("/catalog/{service}/spec/raw").route(reading().to(catalog::raw_spec)));
    configure_account(config);
    configure_applications(config);
    config.service(resource("/mails").route(reading().to(mails::list)));
    config.default_service(actix_web::web::to(said::nothing));
}

/// GET, and HEAD as a GET whose body is not sent.
fn reading() -> Route {
    route().guard(Any(Get()).or(Head()))
}

fn configure_account(config: &mut ServiceConfig) {
    use account as page;
    let both = |path: &str| resource(path.to_owned());
    config.service(both("/account/register").route(reading().to(page::register_form)).route(post().to(page::register)));
    config.service(both("/account/login").route(reading().to(page::log_in_form)).route(post().to(page::log_in)));
    config.service(resource("/account/logout").route(post().to(page::log_out)));
    config.service(both("/account/forgot").route(reading().to(page::forgot_form)).route(post().to(page::forgot)));
    config.service(both("/account/reset").route(reading().to(page::reset_form)).route(post().to(page::reset)));
    config.service(both("/account/verify").route(reading().to(page::verify_form)).route(post().to(page::verify)));
    config.service(resource("/account/verify/refuse").route(post().to(page::refuse_verification)));
    config.service(both("/account/resend").route(reading().to(page::resend_form)).route(post().to(page::resend)));
    config.service(resource("/account").route(reading().to(settings::show)));
    config.service(resource("/account/meta").route(post().to(settings::change_meta)));
    config.service(resource("/account/email").route(post().to(settings::change_email)));
    config.service(resource("/account/password").route(post().to(settings::change_password)));
    config.service(resource("/account/delete").route(post().to(settings::delete)));
}

fn configure_applications(config: &mut ServiceConfig) {
    config.service(resource("/apps").route(reading().to(applications::list)));
    config.service(
        resource("/apps/new").route(reading().to(applications::new_form)).route(post().to(applications::create)),
    );
    config.service(resource("/apps/{application}").route(reading().to(application::show)));
    config.service(
        resource("/apps/{application}/edit")
            .route(reading().to(applications::edit_form))
            .route(post().to(applications::save)),
    );
    config.service(resource("/apps/{application}/delete").route(post().to(applications::delete)));
    config.service(resource("/apps/{application}/contracts").route(post().to(application::request_access)));
    config
        .service(resource("/apps/{application}/contracts/{contract}/withdraw").route(post().to(application::withdraw)));
    config.service(resource("/apps/{application}/credentials").route(post().to(credentials::create)));
    let credential = "/apps/{application}/credentials/{credential}";
    config.service(resource(format!("{credential}/delete")).route(post().to(credentials::delete)));
    config.service(resource(format!("{credential}/secrets")).route(post().to(credentials::add_secret)));
    config.service(resource(format!("{credential}/secrets/{{secret}}/retire")).route(post().to(credentials::retire)));
}

//! An authorization page: what the owner of an API puts beside the gateway so that people can log in and decide which
//! application may call the API for them.
//!
//! The gateway keeps codes and tokens, this program knows people. A browser comes here with an application's request
//! (RFC 6749 section 4.1.1); a person logs in and is asked; on Allow this program posts the request to
//! `…/oauth2/authorize` with the provision key and who the person is, and sends the browser where the gateway says.
//! So that one can see the whole way by clicking, the same process also plays the application (`application.rs`).
//!
//! ```sh
//! cargo run -- dev                            # in one terminal
//! cargo run --example authorization-page      # in another; it prints the address to open
//! ```

mod application;
mod ask;
mod consent;
mod gateway;
mod people;
mod sessions;
mod settings;
mod sign_in;
mod view;

use actix_web::middleware::DefaultHeaders;
use actix_web::{App, HttpServer, web};

use application::Application;
use gateway::Gateway;
use sessions::Sessions;
use settings::Settings;

fn main() -> anyhow::Result<()> {
    actix_rt::System::new().block_on(serve())
}

async fn serve() -> anyhow::Result<()> {
    let settings = Settings::from_args(std::env::args().skip(1))?;
    let socket = std::net::TcpListener::bind(settings.listen)?;
    let address = format!("http://{}", socket.local_addr()?);
    let gateway = Gateway::connect(&settings).await?;
    let application = Application::register(&gateway, &settings, &address).await?;

    let gateway = web::Data::new(gateway);
    let application = web::Data::new(application);
    let visitors = web::Data::new(Sessions::<sign_in::Visitor>::named("session"));
    let errands = web::Data::new(Sessions::<application::Errand>::named("application"));
    let server = HttpServer::new(move || {
        App::new()
            .app_data(gateway.clone())
            .app_data(application.clone())
            .app_data(visitors.clone())
            .app_data(errands.clone())
            .wrap(careful())
            .configure(routes)
    });
    println!("Open {address}/ and log in as {}", people::hint());
    server.workers(1).listen(socket)?.run().await?;
    Ok(())
}

fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/authorize", web::get().to(consent::show))
        .route("/authorize", web::post().to(consent::decide))
        .route("/sign-in", web::get().to(sign_in::show))
        .route("/sign-in", web::post().to(sign_in::check))
        .route("/sign-out", web::post().to(sign_in::leave))
        .route("/", web::get().to(application::home))
        .route("/start", web::get().to(application::start))
        .route("/callback", web::get().to(application::callback))
        .route("/style.css", web::get().to(view::style))
        .default_service(web::to(view::nothing_here));
}

/// What every answer carries. A page with a form that leaves this site widens the policy itself (`view::page`).
fn careful() -> DefaultHeaders {
    DefaultHeaders::new()
        .add(("content-security-policy", view::policy(None)))
        .add(("cache-control", "no-store"))
        .add(("referrer-policy", "no-referrer"))
        .add(("x-content-type-options", "nosniff"))
        .add(("x-frame-options", "DENY"))
}

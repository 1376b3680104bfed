//! The data plane alone: every call goes to one upstream, no plugin runs. For measuring.
//!
//! `cargo run --release --example bare -- 127.0.0.1:8000 127.0.0.1:9000`

use std::net::SocketAddr;

use serde_json::json;
use tollgate::domain::Clock;
use tollgate::plugins::{Attachment, Call, Plugin, Verdict};
use tollgate::proxy::{Configuration, Gateway, Settings, Snapshot};

/// A plugin there is none of.
enum Nothing {}

impl Plugin for Nothing {
    type Engine = ();

    fn compile(_attachment: &Attachment) -> Result<Self, String> {
        Err("there are no plugins here".to_owned())
    }

    fn priority(_name: &str) -> i32 {
        0
    }

    fn broken(name: &str) -> Self {
        unreachable!("no plugin is configured, and yet there is `{name}`")
    }

    async fn access(&self, _call: &mut Call<'_>, (): &()) -> Verdict {
        match *self {}
    }
}

fn main() -> anyhow::Result<()> {
    let addresses: Vec<SocketAddr> = std::env::args().skip(1).map(|text| text.parse()).collect::<Result<_, _>>()?;
    let [listen, upstream] = addresses[..] else { anyhow::bail!("usage: bare LISTEN UPSTREAM") };
    let id = "00000000-0000-7000-8000-000000000001";
    let service = json!({"id": id, "host": upstream.ip().to_string(), "port": upstream.port()});
    let route = json!({"id": id, "service": {"id": id}, "paths": ["/"]});
    let mut configuration = Configuration::default();
    for (collection, entity) in [("services", service), ("routes", route)] {
        configuration.add(collection, entity.as_object().expect("written as an object above"))?;
    }
    let gateway = Gateway::<Nothing>::new(Settings::default(), Clock::System, || (), |_| {});
    gateway.replace(Snapshot::compile(configuration).0);
    actix_rt::System::new().block_on(async move {
        let server = actix_server::Server::build().workers(1);
        let (server, bound) = gateway.listen(server, listen, false)?;
        println!("listening on {bound}");
        Ok(server.run().await?)
    })
}

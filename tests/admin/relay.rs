//! A stretch of network between the gateway and its database, that can be cut and mended.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub struct Relay {
    pub address: SocketAddr,
    to: String,
    cut: watch::Sender<()>,
    listening: Option<JoinHandle<()>>,
}

impl Relay {
    /// Passes everything on to `to`.
    pub async fn open(to: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut relay =
            Self { address: listener.local_addr().unwrap(), to, cut: watch::Sender::new(()), listening: None };
        relay.listen(listener);
        relay
    }

    fn listen(&mut self, listener: TcpListener) {
        let (to, cut) = (self.to.clone(), self.cut.clone());
        self.listening = Some(tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let (to, mut cut) = (to.clone(), cut.subscribe());
                tokio::spawn(async move {
                    let Ok(mut far) = TcpStream::connect(to).await else { return };
                    tokio::select! {
                        _ = copy_bidirectional(&mut near, &mut far) => {}
                        _ = cut.changed() => {}
                    }
                });
            }
        }));
    }

    /// Breaks every connection; new ones are refused.
    pub async fn cut(&mut self) {
        if let Some(listening) = self.listening.take() {
            listening.abort();
            drop(listening.await);
        }
        self.cut.send_replace(());
    }

    pub async fn mend(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.listen(listener);
    }
}

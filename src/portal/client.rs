//! Whose address a request comes from.

use std::net::{IpAddr, Ipv4Addr};

use actix_web::HttpRequest;

use crate::domain::Network;

/// The peer; or, when the peer is trusted, the last address of `X-Forwarded-For` that is not trusted itself.
pub(super) fn address(request: &HttpRequest, trusted: &[Network]) -> IpAddr {
    let peer = request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
    let vouched = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    let fields = request.headers().get_all("x-forwarded-for").filter_map(|value| value.to_str().ok());
    let hops: Vec<&str> = fields.flat_map(|value| value.split(',')).collect();
    let mut client = peer;
    for hop in hops.into_iter().rev() {
        if !vouched(client) {
            break;
        }
        let Ok(address) = hop.trim().parse() else { break };
        client = address;
    }
    client
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn client(peer: &str, forwarded: &str, trusted: &[&str]) -> String {
        let request = TestRequest::get().peer_addr(format!("{peer}:1").parse().unwrap());
        let request = request.insert_header(("x-forwarded-for", forwarded)).to_http_request();
        let trusted: Vec<Network> = trusted.iter().map(|network| network.parse().unwrap()).collect();
        address(&request, &trusted).to_string()
    }

    #[test]
    fn only_trusted_peers_are_believed() {
        assert_eq!(client("6.6.6.6", "7.7.7.7", &[]), "6.6.6.6");
        assert_eq!(client("6.6.6.6", "7.7.7.7", &["10.0.0.0/8"]), "6.6.6.6");
        assert_eq!(client("10.0.0.1", "1.1.1.1, 7.7.7.7", &["10.0.0.0/8"]), "7.7.7.7");
        assert_eq!(client("10.0.0.1", "7.7.7.7, 10.0.0.2", &["10.0.0.0/8"]), "7.7.7.7");
        assert_eq!(client("10.0.0.1", "nonsense", &["10.0.0.0/8"]), "10.0.0.1");
    }
}

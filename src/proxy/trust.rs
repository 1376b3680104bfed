//! Whose word is taken for where a request came from.

use std::net::IpAddr;

use crate::domain::Network;
use crate::message::Headers;

/// Networks (`proxy.trusted_ips`) whose `X-Forwarded-*` are believed.
#[derive(Clone, Debug, Default)]
pub struct TrustedNetworks(pub Vec<Network>);

impl TrustedNetworks {
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }

    /// The client a trusted peer speaks for: `X-Real-IP`, else the last address of `X-Forwarded-For` that is not
    /// itself trusted.
    pub(super) fn client(&self, headers: &Headers, peer: IpAddr) -> IpAddr {
        let parse = |text: &[u8]| std::str::from_utf8(text).ok()?.trim().parse::<IpAddr>().ok();
        if let Some(real) = headers.get("x-real-ip").and_then(parse) {
            return real;
        }
        let mut client = peer;
        let hops: Vec<_> = headers.all("x-forwarded-for").flat_map(|value| value.split(|byte| *byte == b',')).collect();
        for hop in hops.into_iter().rev() {
            let Some(address) = parse(hop) else { break };
            client = address;
            if !self.contains(address) {
                break;
            }
        }
        client
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_is_the_last_hop_nobody_vouches_for() {
        let trusted = TrustedNetworks(vec!["10.0.0.0/8".parse().unwrap()]);
        let mut headers = Headers::default();
        headers.push(b"X-Forwarded-For", b"6.6.6.6, 7.7.7.7, 10.0.0.2");
        assert_eq!(trusted.client(&headers, "10.0.0.1".parse().unwrap()).to_string(), "7.7.7.7");
    }
}

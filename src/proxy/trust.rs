//! Whose word is taken for where a request came from.

use std::net::IpAddr;

use crate::message::Headers;

/// Networks (`proxy.trusted_ips`) whose `X-Forwarded-*` are believed.
#[derive(Clone, Debug, Default)]
pub struct TrustedNetworks(Vec<(u128, u32)>);

impl TrustedNetworks {
    /// Reads addresses and CIDR blocks.
    ///
    /// # Errors
    /// The text that is neither.
    pub fn parse<'t>(texts: impl IntoIterator<Item = &'t str>) -> Result<Self, String> {
        let parsed = texts.into_iter().map(|text| block(text.trim()).ok_or_else(|| text.to_owned()));
        parsed.collect::<Result<_, _>>().map(Self)
    }

    pub fn contains(&self, address: IpAddr) -> bool {
        let bits = bits(address);
        self.0.iter().any(|(network, length)| mask(bits, *length) == *network)
    }

    /// The client a trusted peer speaks for: `X-Real-IP`, else the last address of `X-Forwarded-For` that is not
    /// itself trusted.
    pub(super) fn client(&self, headers: &Headers, peer: IpAddr) -> IpAddr {
        let parse = |text: &[u8]| std::str::from_utf8(text).ok()?.trim().parse::<IpAddr>().ok();
        if let Some(real) = headers.get("x-real-ip").and_then(|value| parse(value)) {
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

/// IPv4 as IPv6 writes it, so that both are one kind of number.
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(four) => u128::from(four.to_ipv6_mapped()),
        IpAddr::V6(six) => u128::from(six),
    }
}

fn mask(bits: u128, length: u32) -> u128 {
    bits & u128::MAX.checked_shl(128 - length).unwrap_or(0)
}

fn block(text: &str) -> Option<(u128, u32)> {
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length.parse::<u32>().ok()?)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let (whole, before) = if address.is_ipv4() { (32, 96) } else { (128, 0) };
    let length = length.unwrap_or(whole);
    (length <= whole).then(|| (mask(bits(address), length + before), length + before))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_contain_what_they_name() {
        let trusted = TrustedNetworks::parse(["10.0.0.0/8", "::1", "192.168.1.7"]).unwrap();
        for (address, inside) in
            [("10.1.2.3", true), ("11.0.0.1", false), ("::1", true), ("::2", false), ("192.168.1.7", true)]
        {
            assert_eq!(trusted.contains(address.parse().unwrap()), inside, "{address}");
        }
        assert!(TrustedNetworks::parse(["0.0.0.0/0"]).unwrap().contains("9.9.9.9".parse().unwrap()));
        assert!(TrustedNetworks::parse(["10.0.0.0/33"]).is_err());
    }

    #[test]
    fn the_client_is_the_last_hop_nobody_vouches_for() {
        let trusted = TrustedNetworks::parse(["10.0.0.0/8"]).unwrap();
        let mut headers = Headers::default();
        headers.push("X-Forwarded-For".into(), "6.6.6.6, 7.7.7.7, 10.0.0.2".into());
        assert_eq!(trusted.client(&headers, "10.0.0.1".parse().unwrap()).to_string(), "7.7.7.7");
    }
}

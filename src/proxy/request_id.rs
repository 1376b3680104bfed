//! Names of requests.

/// 128 random bits as 32 hexadecimal digits, made without allocating.
#[derive(Clone, Copy)]
pub(super) struct RequestId([u8; 32]);

impl RequestId {
    pub fn new() -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut bits: u128 = rand::random();
        let mut text = [0; 32];
        for digit in &mut text {
            *digit = DIGITS[(bits & 15) as usize];
            bits >>= 4;
        }
        Self(text)
    }

    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("hexadecimal digits are ASCII")
    }
}

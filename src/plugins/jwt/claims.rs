//! The claims of a token whose signature is good (RFC 7519 §4.1).

use serde_json::{Map, Value, json};

use super::config::{Claim, Config};

/// Judges the claims that are to be verified at `now`, in seconds.
///
/// # Errors
/// What is wrong with each of them, as Kong answers it.
pub(super) fn judge(config: &Config, claims: &Map<String, Value>, now: i64) -> Result<(), Value> {
    let mut faults = Map::new();
    for claim in &config.claims_to_verify {
        let (name, fault) = match claim {
            Claim::Exp => ("exp", instant(claims, "exp").map(|end| (end <= now as f64).then_some("token expired"))),
            Claim::Nbf => {
                ("nbf", instant(claims, "nbf").map(|start| (start > now as f64).then_some("token not valid yet")))
            }
        };
        if let Some(fault) = fault.unwrap_or(Some("must be a number")) {
            faults.insert(name.to_owned(), fault.into());
        }
    }
    if !faults.is_empty() {
        return Err(Value::Object(faults));
    }
    let longest = config.maximum_expiration;
    if longest > 0.0 && instant(claims, "exp").is_none_or(|end| end - now as f64 > longest) {
        return Err(json!({ "exp": "exceeds maximum allowed expiration" }));
    }
    Ok(())
}

fn instant(claims: &Map<String, Value>, name: &str) -> Option<f64> {
    claims.get(name).and_then(Value::as_f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1000;

    fn judged(config: Value, claims: Value) -> Result<(), Value> {
        judge(&Config::read(&config).unwrap(), claims.as_object().unwrap(), NOW)
    }

    #[test]
    fn only_what_is_to_be_verified_is() {
        assert_eq!(judged(json!({}), json!({ "exp": 1 })), Ok(()));
        let both = json!({ "claims_to_verify": ["exp", "nbf"] });
        assert_eq!(judged(both.clone(), json!({ "exp": 1001, "nbf": 1000 })), Ok(()));
        assert_eq!(
            judged(both.clone(), json!({ "exp": 1000, "nbf": 1000.5 })),
            Err(json!({ "exp": "token expired", "nbf": "token not valid yet" }))
        );
        assert_eq!(
            judged(both, json!({ "exp": "9999" })),
            Err(json!({ "exp": "must be a number", "nbf": "must be a number" }))
        );
    }

    #[test]
    fn a_life_may_be_too_long() {
        let config = json!({ "claims_to_verify": ["exp"], "maximum_expiration": 60 });
        assert_eq!(judged(config.clone(), json!({ "exp": 1060 })), Ok(()));
        let too_long = Err(json!({ "exp": "exceeds maximum allowed expiration" }));
        for exp in [json!(1061), json!(1e300), json!(i64::MAX)] {
            assert_eq!(judged(config.clone(), json!({ "exp": exp })), too_long);
        }
        assert_eq!(judged(json!({ "maximum_expiration": 60 }), json!({})), too_long);
    }
}

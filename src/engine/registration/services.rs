//! The catalogue: the services that take applications, as a developer sees them.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::Registration;
use crate::domain::ContractStatus;
use crate::engine::catalog::{
    CatalogError, ListRequest, contract_status, descending, parse_place, place, size, wrong_option,
};
use crate::schema::Entity;
use crate::storage::{EntranceRow, GuardRow, OfferRow};

/// What is told of the configuration of each plugin that asks for credentials. Provision keys are nobody's but the
/// provider's.
const OAUTH2: &[&str] = &[
    "enable_authorization_code",
    "enable_client_credentials",
    "enable_implicit_grant",
    "enable_password_grant",
    "auth_header_name",
    "scopes",
];
const KEY_AUTH: &[&str] = &["key_names", "key_in_body", "run_on_preflight"];
const GRANTS: &[&str] =
    &["enable_authorization_code", "enable_client_credentials", "enable_implicit_grant", "enable_password_grant"];

/// A service that takes applications.
#[derive(Clone, Debug, PartialEq)]
pub struct Offer {
    pub service: Uuid,
    /// The service's own.
    pub name: Option<String>,
    pub display_name: String,
    pub description: Option<String>,
    pub auto_approve: bool,
    pub show_issuer: bool,
    /// Which plugin asks for credentials, and what is told of its configuration.
    pub auth: Option<(String, Map<String, Value>)>,
    /// The path of the document that describes it.
    pub document: Option<String>,
    /// The contract of the application that was asked for.
    pub contract: Option<(Uuid, ContractStatus)>,
    /// Host and path of the first route that has any.
    pub entrance: Option<Entrance>,
}

/// Where calls of a service go in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entrance {
    pub host: Option<String>,
    pub path: Option<String>,
}

/// A page of the catalogue.
#[derive(Clone, Debug, PartialEq)]
pub struct Offers {
    pub data: Vec<Offer>,
    pub offset: Option<String>,
    pub total: usize,
}

impl Registration {
    /// The services that take applications, with the contract of `application`. Filters: `name` (a part, in any case),
    /// `status` (a contract's, or -1 for none); sorted by `created_at` or `name`.
    ///
    /// # Errors
    /// A filter, an order, a size or an offset that does not read.
    pub async fn services(&self, application: Option<Uuid>, request: &ListRequest) -> Result<Offers, CatalogError> {
        let wanted = Wanted::read(request)?;
        let mut offers: Vec<Offer> = self.offers(application).await?;
        offers.retain(|offer| wanted.fits(offer));
        let total = offers.len();
        offers.sort_by_key(|offer| wanted.key(offer));
        if wanted.descending {
            offers.reverse();
        }
        if let Some((id, text)) = wanted.after.clone() {
            let last = (text, id);
            let is_before = |offer: &Offer| {
                let key = wanted.key(offer);
                if wanted.descending { key >= last } else { key <= last }
            };
            offers.drain(..offers.partition_point(is_before));
        }
        let more = offers.len() > wanted.size;
        offers.truncate(wanted.size);
        let offset = offers.last().filter(|_| more).map(|last| {
            let (text, id) = wanted.key(last);
            place(id, &text)
        });
        Ok(Offers { data: offers, offset, total })
    }

    /// One service that takes applications.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`]
    pub async fn service(&self, application: Option<Uuid>, id: Uuid) -> Result<Offer, CatalogError> {
        let offers = self.offers(application).await?;
        offers.into_iter().find(|offer| offer.service == id).ok_or(CatalogError::NotFound)
    }

    /// All of them, with the contract of `application`, in the order of their making.
    ///
    /// # Errors
    /// The store failed.
    pub async fn offers(&self, application: Option<Uuid>) -> Result<Vec<Offer>, CatalogError> {
        let rows = self.catalog.store.offers(application).await?;
        Ok(rows.offers.into_iter().map(|row| offer(row, &rows.guards, &rows.entrances)).collect())
    }
}

impl Offer {
    /// What the service is called.
    pub fn title(&self) -> &str {
        &self.display_name
    }

    /// A row of `/application_services` (section 2.5). `document_route`: the page that shows the document.
    pub fn to_json(&self, document_route: Option<&str>) -> Entity {
        let auth = self.auth.as_ref().map(|(name, config)| {
            let mut shown = Map::from_iter([("name".to_owned(), name.as_str().into())]);
            shown.extend(config.clone());
            Value::Object(shown)
        });
        let instance = self.contract.map(|(id, status)| json!({ "id": id.to_string(), "status": status.code() }));
        let row = json!({
            "id": self.service.to_string(),
            "name": self.name,
            "app_registration_config": {
                "display_name": self.display_name,
                "description": self.description,
                "auto_approve": self.auto_approve,
                "show_issuer": self.show_issuer,
            },
            "auth_plugin_config": auth,
            "document_route": document_route.filter(|_| self.document.is_some()),
            "instance": instance,
        });
        match row {
            Value::Object(row) => row,
            _ => Entity::new(),
        }
    }
}

/// What a page of the catalogue is asked for.
struct Wanted {
    /// In lower case.
    name: Option<String>,
    /// The inner `None`: no contract.
    status: Option<Option<ContractStatus>>,
    by_name: bool,
    descending: bool,
    after: Option<(Uuid, String)>,
    size: usize,
}

impl Wanted {
    fn read(request: &ListRequest) -> Result<Self, CatalogError> {
        let text =
            |name: &str| request.filters.iter().find(|(known, _)| known == name).and_then(|(_, text)| text.as_str());
        let status = match text("status") {
            None => None,
            Some("-1" | "inactive") => Some(None),
            Some(text) => Some(Some(contract_status(text)?)),
        };
        let by_name = match request.sort_by.as_deref() {
            None | Some("created_at") => false,
            Some("name") => true,
            Some(_) => return Err(wrong_option("sort_by", "expected one of: created_at, name")),
        };
        Ok(Self {
            name: text("name").map(str::to_lowercase).filter(|name| !name.is_empty()),
            status,
            by_name,
            descending: descending(request)?,
            after: request.offset.as_deref().map(parse_place).transpose()?,
            size: size(request.size.as_deref())?,
        })
    }

    fn fits(&self, offer: &Offer) -> bool {
        let names = [Some(&offer.display_name), offer.name.as_ref()];
        let named = |part: &String| names.iter().flatten().any(|name| name.to_lowercase().contains(part));
        self.name.as_ref().is_none_or(named)
            && self.status.is_none_or(|wanted| offer.contract.map(|(_, status)| status) == wanted)
    }

    /// What offers are sorted by. Ids are in the order of creation.
    fn key(&self, offer: &Offer) -> (String, Uuid) {
        let text = if self.by_name { offer.display_name.to_lowercase() } else { String::new() };
        (text, offer.service)
    }
}

fn offer(row: OfferRow, guards: &[GuardRow], entrances: &[EntranceRow]) -> Offer {
    let OfferRow { service, name, config, document, contract } = row;
    let text = |field: &str| config.get(field).and_then(Value::as_str).map(str::to_owned);
    let flag = |field: &str| config.get(field).and_then(Value::as_bool).unwrap_or(false);
    let of = |plugin: &str| guards.iter().find(|guard| guard.service == service && guard.name == plugin);
    // The first generation of the plugin asks for tokens itself.
    let auth = if GRANTS.iter().any(|grant| flag(grant)) {
        Some(("oauth2".to_owned(), told(&config, OAUTH2)))
    } else if let Some(guard) = of("oauth2") {
        Some((guard.name.clone(), told(&guard.config, OAUTH2)))
    } else {
        of("key-auth").map(|guard| (guard.name.clone(), told(&guard.config, KEY_AUTH)))
    };
    let entrance = entrances.iter().filter(|entrance| entrance.service == service).find_map(|entrance| {
        // A path that is a pattern cannot be called.
        let path = entrance.paths.iter().find(|path| !path.starts_with('~')).cloned();
        let host = entrance.hosts.iter().find(|host| !host.contains('*')).cloned();
        (path.is_some() || host.is_some()).then_some(Entrance { host, path })
    });
    Offer {
        service,
        name,
        display_name: text("display_name").unwrap_or_default(),
        description: text("description"),
        auto_approve: flag("auto_approve"),
        show_issuer: flag("show_issuer"),
        auth,
        document,
        contract,
        entrance,
    }
}

fn told(config: &Value, fields: &[&str]) -> Map<String, Value> {
    fields.iter().map(|name| ((*name).to_owned(), config.get(*name).cloned().unwrap_or_default())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(number: u128, config: Value) -> OfferRow {
        OfferRow { service: Uuid::from_u128(number), name: None, config, document: None, contract: None }
    }

    fn guard(name: &str, config: Value) -> GuardRow {
        GuardRow { service: Uuid::from_u128(1), name: name.to_owned(), config }
    }

    #[test]
    fn a_provision_key_is_not_told() {
        let config = json!({"display_name": "d", "enable_client_credentials": true, "provision_key": "hunter2"});
        let first = offer(service(1, config.clone()), &[], &[]);
        let second = offer(service(1, json!({"display_name": "d"})), &[guard("oauth2", config)], &[]);
        for offer in [first, second] {
            let row = Value::Object(offer.to_json(None));
            assert_eq!(row["auth_plugin_config"]["name"], "oauth2");
            assert_eq!(row["auth_plugin_config"]["enable_client_credentials"], true);
            assert!(!row.to_string().contains("hunter2") && !row.to_string().contains("provision"), "{row}");
        }
    }

    #[test]
    fn tokens_come_before_keys() {
        let key = guard("key-auth", json!({"key_names": ["apikey"], "key_in_body": false, "realm": "r"}));
        let bare = service(1, json!({"display_name": "d"}));
        let told = offer(bare.clone(), std::slice::from_ref(&key), &[]).auth.unwrap();
        assert_eq!((told.0.as_str(), &told.1["key_names"]), ("key-auth", &json!(["apikey"])));
        assert!(!told.1.contains_key("realm"));
        let both = [key, guard("oauth2", json!({}))];
        assert_eq!(offer(bare.clone(), &both, &[]).auth.unwrap().0, "oauth2");
        assert_eq!(offer(service(2, json!({})), &both, &[]).auth, None, "of another service");
    }

    #[test]
    fn an_entrance_is_one_that_can_be_called() {
        let entrance = |hosts: &[&str], paths: &[&str]| EntranceRow {
            service: Uuid::from_u128(1),
            hosts: hosts.iter().map(|text| (*text).to_owned()).collect(),
            paths: paths.iter().map(|text| (*text).to_owned()).collect(),
        };
        let of = |entrances: &[EntranceRow]| offer(service(1, json!({})), &[], entrances).entrance;
        assert_eq!(of(&[entrance(&["*.a.example"], &["~/x"])]), None);
        let both = [entrance(&[], &["~/x"]), entrance(&["a.example"], &["~/x", "/orders"])];
        let wanted = Entrance { host: Some("a.example".to_owned()), path: Some("/orders".to_owned()) };
        assert_eq!(of(&both), Some(wanted));
    }
}

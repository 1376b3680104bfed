//! By what calls are told apart.

use uuid::Uuid;

/// Stands for routes and services that are gone. No name has parentheses.
const DELETED: &str = "(deleted)";

/// Who a call was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsumerClass {
    /// Nobody asked, or nobody was found.
    None,
    Anonymous,
    Consumer,
    /// A developer's, on a service with `application-registration`.
    Application,
}

impl ConsumerClass {
    pub(super) const ALL: [Self; 4] = [Self::None, Self::Anonymous, Self::Consumer, Self::Application];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Anonymous => "anonymous",
            Self::Consumer => "consumer",
            Self::Application => "application",
        }
    }
}

/// A route and its service. Of an entity without a name its id is told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RouteLabels {
    pub(super) service: Box<str>,
    pub(super) route: Box<str>,
    service_id: Option<Uuid>,
    route_id: Option<Uuid>,
}

impl RouteLabels {
    /// Calls that found no route: both labels are empty.
    pub fn none() -> Self {
        Self { service: "".into(), route: "".into(), service_id: None, route_id: None }
    }

    pub fn new(route: (Uuid, Option<&str>), service: Option<(Uuid, Option<&str>)>) -> Self {
        let label = |(id, name): (Uuid, Option<&str>)| -> Box<str> {
            name.map_or_else(|| id.to_string().into(), |name| escaped(name).into())
        };
        Self {
            service: service.map_or_else(|| "".into(), label),
            route: label(route),
            service_id: service.map(|(id, _)| id),
            route_id: Some(route.0),
        }
    }

    pub(super) fn is_none(&self) -> bool {
        self.route_id.is_none()
    }

    pub(super) fn service(&self) -> (Option<Uuid>, &str) {
        (self.service_id, &self.service)
    }

    /// The same service's routes that are gone.
    pub(super) fn without_route(&self) -> Self {
        Self { route: DELETED.into(), route_id: None, ..self.clone() }
    }

    pub(super) fn without_service(&self) -> Self {
        Self { service: DELETED.into(), service_id: None, ..self.clone() }
    }
}

/// As the text format wants the values of labels.
fn escaped(name: &str) -> String {
    name.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

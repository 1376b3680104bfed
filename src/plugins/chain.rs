//! Which plugins run on a route, and in which order.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value};
use uuid::Uuid;

use super::{Call, Plugin, Verdict, identity};
use crate::domain::Gate;
use crate::router::{Protocol, Protocols, RouteSpec, SpecError, entity_id, entity_protocols, entity_reference};

/// A plugin entity, typed: which plugin, on what, with which settings.
#[derive(Clone, Debug)]
pub struct Attachment {
    pub id: Uuid,
    pub name: String,
    pub service: Option<Uuid>,
    pub route: Option<Uuid>,
    pub consumer: Option<Uuid>,
    pub enabled: bool,
    pub protocols: Protocols,
    pub config: Value,
}

/// A plugin that did not compile. Its place in the chain refuses calls.
#[derive(Clone, Debug, thiserror::Error)]
#[error("plugin `{name}` ({id}) does not compile and refuses every call: {reason}")]
pub struct CompileError {
    pub id: Uuid,
    pub name: String,
    pub reason: String,
}

impl Attachment {
    /// # Errors
    /// A missing id or name, or a malformed reference.
    pub fn from_entity(entity: &Map<String, Value>) -> Result<Self, SpecError> {
        const DEFAULT: [Protocol; 4] = [Protocol::Grpc, Protocol::Grpcs, Protocol::Http, Protocol::Https];
        let name = entity.get("name").and_then(Value::as_str).ok_or(SpecError::Missing("name"))?;
        Ok(Self {
            id: entity_id(entity)?,
            name: name.to_owned(),
            service: entity_reference(entity, "service")?,
            route: entity_reference(entity, "route")?,
            consumer: entity_reference(entity, "consumer")?,
            enabled: entity.get("enabled").and_then(Value::as_bool).unwrap_or(true),
            protocols: entity_protocols(entity, &DEFAULT)?,
            config: entity.get("config").cloned().unwrap_or(Value::Null),
        })
    }

    /// Whether it stands on this route: what it names must be what the route has.
    fn covers(&self, route: &RouteSpec) -> bool {
        self.route.is_none_or(|id| id == route.id) && self.service.is_none_or(|id| route.service == Some(id))
    }

    /// Higher wins: more named first, then consumer before route before service.
    fn specificity(&self) -> (u8, u8) {
        let named = [self.consumer, self.route, self.service].map(|id| u8::from(id.is_some()));
        (named.iter().sum(), named[0] * 4 + named[1] * 2 + named[2])
    }
}

struct Compiled<P> {
    attachment: Attachment,
    plugin: P,
}

/// The plugins of one name on a route: most specific first, at most one of them runs.
struct Step<P> {
    priority: i32,
    candidates: Vec<Arc<Compiled<P>>>,
}

impl<P> Step<P> {
    fn choose(&self, call: &Call<'_>) -> Option<&Compiled<P>> {
        let caller = call.identity.as_ref().and_then(|identity| identity.consumer.as_ref()).map(|who| who.id);
        let chosen = self.candidates.iter().find(|candidate| {
            let asked = candidate.attachment.consumer;
            asked.is_none() || asked == caller
        })?;
        chosen.attachment.protocols.contains(call.protocol).then_some(chosen.as_ref())
    }
}

/// The plugins of one route in the order they run.
pub struct Chain<P> {
    steps: Vec<Step<P>>,
    gate: Option<Gate>,
}

impl<P> Default for Chain<P> {
    fn default() -> Self {
        Self { steps: Vec::new(), gate: None }
    }
}

impl<P: Plugin> Chain<P> {
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Runs the plugins until one answers.
    pub async fn access(&self, call: &mut Call<'_>, engine: &P::Engine) -> Verdict {
        if self.gate.is_some() {
            call.gate = self.gate;
            identity::forget_application(call);
        }
        for step in &self.steps {
            let Some(chosen) = step.choose(call) else { continue };
            if let Verdict::Answer(answer) = chosen.plugin.access(call, engine).await {
                return Verdict::Answer(answer);
            }
        }
        Verdict::Continue
    }
}

/// Compiles plugins once and gives each route its chain.
pub struct Chains<P> {
    anywhere: Vec<Arc<Compiled<P>>>,
    by_route: HashMap<Uuid, Vec<Arc<Compiled<P>>>>,
    by_service: HashMap<Uuid, Vec<Arc<Compiled<P>>>>,
    /// Routes with no plugin of their own share the chain of their service.
    shared: HashMap<Option<Uuid>, Arc<Chain<P>>>,
}

impl<P: Plugin> Chains<P> {
    /// Compiles the enabled plugins. The second part tells which refuse every call, for the log.
    pub fn compile(attachments: impl IntoIterator<Item = Attachment>) -> (Self, Vec<CompileError>) {
        let mut chains =
            Self { anywhere: Vec::new(), by_route: HashMap::new(), by_service: HashMap::new(), shared: HashMap::new() };
        let mut errors = Vec::new();
        for attachment in attachments.into_iter().filter(|attachment| attachment.enabled) {
            let plugin = P::compile(&attachment).unwrap_or_else(|reason| {
                errors.push(CompileError { id: attachment.id, name: attachment.name.clone(), reason });
                P::broken(&attachment.name)
            });
            let (route, service) = (attachment.route, attachment.service);
            let compiled = Arc::new(Compiled { attachment, plugin });
            match (route, service) {
                (Some(id), _) => chains.by_route.entry(id).or_default().push(compiled),
                (None, Some(id)) => chains.by_service.entry(id).or_default().push(compiled),
                (None, None) => chains.anywhere.push(compiled),
            }
        }
        (chains, errors)
    }

    /// The chain of a route.
    pub fn of(&mut self, route: &RouteSpec) -> Arc<Chain<P>> {
        let own = self.by_route.get(&route.id);
        if own.is_none()
            && let Some(chain) = self.shared.get(&route.service)
        {
            return Arc::clone(chain);
        }
        let of_service = route.service.and_then(|id| self.by_service.get(&id));
        let every = own.into_iter().chain(of_service).flatten().chain(&self.anywhere);
        let chain = Arc::new(assemble(every.filter(|compiled| compiled.attachment.covers(route))));
        if own.is_none() {
            self.shared.insert(route.service, Arc::clone(&chain));
        }
        chain
    }
}

fn assemble<'p, P: Plugin>(plugins: impl Iterator<Item = &'p Arc<Compiled<P>>>) -> Chain<P> {
    let mut by_name: HashMap<&str, Vec<Arc<Compiled<P>>>> = HashMap::new();
    for compiled in plugins {
        by_name.entry(&compiled.attachment.name).or_default().push(Arc::clone(compiled));
    }
    let mut named: Vec<_> = by_name.into_iter().collect();
    // The name settles equal priorities, so that the order does not change from one compilation to the next.
    named.sort_by_key(|(name, _)| (std::cmp::Reverse(P::priority(name)), *name));
    let steps = named.into_iter().map(|(name, mut candidates)| {
        candidates.sort_by_key(|compiled| std::cmp::Reverse(compiled.attachment.specificity()));
        // Nothing after the first that takes any consumer is ever reached.
        let reached = candidates.iter().position(|compiled| compiled.attachment.consumer.is_none());
        candidates.truncate(reached.map_or(usize::MAX, |last| last + 1));
        Step { priority: P::priority(name), candidates }
    });
    let steps: Vec<Step<P>> = steps.collect();
    let gate = steps.iter().flat_map(|step| &step.candidates).find_map(|compiled| compiled.plugin.gate());
    Chain { steps, gate }
}

impl<P> std::fmt::Debug for Chain<P> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names =
            self.steps.iter().filter_map(|step| Some((&step.candidates.first()?.attachment.name, step.priority)));
        out.debug_list().entries(names).finish()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A plugin that has no settings; it is a gate when that is its name.
    struct Named(bool);

    impl Plugin for Named {
        type Engine = ();

        fn compile(attachment: &Attachment) -> Result<Self, String> {
            let plugin = attachment.config.is_null().then_some(Self(attachment.name == "gate"));
            plugin.ok_or_else(|| "no settings wanted".to_owned())
        }

        fn priority(name: &str) -> i32 {
            if name == "first" { 2 } else { 1 }
        }

        fn broken(_name: &str) -> Self {
            Self(false)
        }

        fn gate(&self) -> Option<Gate> {
            self.0.then_some(Gate { consumers: true, reasons: false })
        }

        async fn access(&self, _call: &mut Call<'_>, (): &()) -> Verdict {
            Verdict::Continue
        }
    }

    const ROUTE: Uuid = Uuid::from_u128(1);
    const SERVICE: Uuid = Uuid::from_u128(2);

    fn attachment(id: u128, name: &str, on: serde_json::Value) -> Attachment {
        let mut entity = json!({"id": Uuid::from_u128(id).to_string(), "name": name});
        let fields = entity.as_object_mut().unwrap();
        on.as_object().unwrap().iter().for_each(|(name, value)| drop(fields.insert(name.clone(), value.clone())));
        Attachment::from_entity(fields).unwrap()
    }

    fn on(fields: &[(&str, Uuid)]) -> serde_json::Value {
        fields
            .iter()
            .map(|(field, id)| ((*field).to_owned(), json!({"id": id.to_string()})))
            .collect::<Map<_, _>>()
            .into()
    }

    fn route(id: Uuid) -> RouteSpec {
        let entity = json!({"id": id.to_string(), "service": {"id": SERVICE.to_string()}});
        RouteSpec::from_entity(entity.as_object().unwrap()).unwrap()
    }

    /// The plugins of a chain: of each name, the entities that may run, in the order they are tried.
    fn ids(chain: &Chain<Named>) -> Vec<Vec<u128>> {
        let of = |step: &Step<Named>| step.candidates.iter().map(|plugin| plugin.attachment.id.as_u128()).collect();
        chain.steps.iter().map(of).collect()
    }

    #[test]
    fn the_most_specific_plugin_of_a_name_runs() {
        let consumer = Uuid::from_u128(9);
        let (mut chains, errors) = Chains::<Named>::compile([
            attachment(10, "last", on(&[])),
            attachment(11, "last", on(&[("service", SERVICE)])),
            attachment(12, "last", on(&[("route", ROUTE)])),
            attachment(13, "last", on(&[("consumer", consumer)])),
            attachment(14, "last", on(&[("consumer", consumer), ("service", SERVICE)])),
            attachment(15, "first", on(&[])),
        ]);
        assert!(errors.is_empty());
        assert_eq!(ids(&chains.of(&route(ROUTE))), [vec![15], vec![14, 13, 12]]);
        assert_eq!(ids(&chains.of(&route(Uuid::from_u128(3)))), [vec![15], vec![14, 13, 11]]);
    }

    #[test]
    fn a_plugin_of_another_service_or_switched_off_does_not_run() {
        let other = Uuid::from_u128(7);
        let (mut chains, _) = Chains::<Named>::compile([
            attachment(10, "last", on(&[("service", other)])),
            attachment(11, "last", on(&[("route", ROUTE), ("service", other)])),
            attachment(12, "last", json!({"enabled": false})),
        ]);
        assert!(chains.of(&route(ROUTE)).is_empty());
    }

    #[test]
    fn a_chain_knows_of_the_gate_on_its_service() {
        let other = Uuid::from_u128(7);
        let gate = |service| attachment(10, "gate", on(&[("service", service)]));
        let (mut chains, _) = Chains::<Named>::compile([gate(SERVICE), attachment(11, "first", on(&[]))]);
        assert_eq!(chains.of(&route(ROUTE)).gate, Some(Gate { consumers: true, reasons: false }));
        let (mut chains, _) = Chains::<Named>::compile([gate(other), attachment(11, "first", on(&[]))]);
        assert_eq!(chains.of(&route(ROUTE)).gate, None);
    }

    #[test]
    fn a_plugin_that_does_not_compile_keeps_its_place() {
        let (mut chains, errors) = Chains::<Named>::compile([attachment(10, "last", json!({"config": {"x": 1}}))]);
        assert_eq!(errors.len(), 1);
        assert_eq!(ids(&chains.of(&route(ROUTE))), [vec![10]]);
    }
}

//! One item: its facts and its form.

use std::borrow::Cow;

use actix_web::HttpResponse;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use uuid::Uuid;

use super::collections::{Collection, name_of};
use super::controls::{Filling, sections};
use super::faults::Faults;
use super::place::{Place, Use, defaults, places};
use super::shown::{Names, path_of};
use crate::console::frame::ENTITIES;
use crate::console::refusal::{Answer, Refusal};
use crate::console::views::{Choice, ChoosePluginPage, ConfirmPage, ItemPage, Leads};
use crate::console::visit::{self, Visit};
use crate::engine::catalog::{Key, ListRequest};
use crate::pages::{Form, Notice, answer};
use crate::schema::{Entity, Schema};

/// What the gateway says of an item beside its form.
const FACTS: [&str; 4] = ["id", "cert_digest", "created_at", "updated_at"];

/// A collection with the schema that its form follows.
pub(super) struct Sheet<'v> {
    pub collection: &'static Collection,
    pub schema: Cow<'v, Schema>,
    /// The plugin that narrows it.
    pub plugin: String,
}

impl<'v> Sheet<'v> {
    pub(super) fn of(visit: &'v Visit, path: &str, plugin: &str) -> Result<Self, Refusal> {
        let collection = Collection::at(path).ok_or(Refusal::NoSuchPath)?;
        let schema = visit.schema(collection.entity)?;
        let registry = &visit.catalog().registry;
        let narrowed = registry.plugin(plugin).filter(|_| schema.name == "plugins");
        match narrowed.and_then(|plugin| registry.plugins_narrowed_by(plugin)) {
            Some(narrowed) => Ok(Self { collection, schema: Cow::Owned(narrowed), plugin: plugin.to_owned() }),
            None => Ok(Self { collection, schema: Cow::Borrowed(schema), plugin: String::new() }),
        }
    }

    /// Whether it must be said first which plugin a new one is.
    pub(super) fn lacks_plugin(&self) -> bool {
        self.schema.name == "plugins" && self.plugin.is_empty()
    }

    pub(super) fn path(&self) -> String {
        format!("{ENTITIES}/{}", self.collection.path)
    }

    fn crumbs(&self) -> Vec<Leads> {
        let leads = |path: String, text: &str| Leads { path, text: text.to_owned() };
        vec![leads(ENTITIES.to_owned(), "Configuration"), leads(self.path(), self.collection.title)]
    }
}

/// An item that exists, with the sheet its form follows.
pub(super) async fn found<'v>(visit: &'v Visit, path: &str, id: &str) -> Result<(Sheet<'v>, Uuid, Entity), Refusal> {
    let (collection, id) = (Collection::at(path).ok_or(Refusal::NoSuchPath)?, visit::id(id)?);
    let schema = visit.schema(collection.entity)?;
    let entity = listed(visit, schema, id).await?.ok_or(Refusal::NotFound)?;
    let plugin = entity.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok((Sheet::of(visit, path, &plugin)?, id, entity))
}

/// An entity, unless no list shows it: consumers that stand for applications and developers change with those.
async fn listed(visit: &Visit, schema: &Schema, id: Uuid) -> Result<Option<Entity>, Refusal> {
    if schema.name != "consumers" {
        return Ok(visit.catalog().find(schema, &Key::Id(id), None).await?);
    }
    let filters = vec![("id".to_owned(), id.to_string().into())];
    let request = ListRequest { filters, size: Some("1".to_owned()), ..ListRequest::default() };
    Ok(visit.catalog().list(schema, &request).await?.data.pop())
}

/// What an entity is now, in a word that says nothing of it: to know whether it changed while a form was open.
pub(super) fn revision(visit: &Visit, schema: &Schema, entity: &Entity) -> String {
    // Virtual fields are left out: lives run down.
    let kept: Vec<&Value> = schema.fields.iter().filter_map(|field| entity.get(field.name)).collect();
    let text = serde_json::to_string(&kept).unwrap_or_default();
    URL_SAFE_NO_PAD.encode(visit.state.node.keyring.digest(format!("revision of {text}").as_bytes()).0)
}

/// The form of a new item; for a plugin, first the question which.
pub(in crate::console) async fn new(visit: &Visit, path: &str) -> Answer {
    let sheet = Sheet::of(visit, path, &visit.query.text("plugin"))?;
    if sheet.lacks_plugin() {
        return Ok(choose_plugin(visit, &sheet));
    }
    let places = places(&sheet.schema, Use::Create);
    new_page(visit, &sheet, &places, None, &Faults::default(), 200)
}

fn choose_plugin(visit: &Visit, sheet: &Sheet<'_>) -> HttpResponse {
    let mut names: Vec<&str> = visit.catalog().registry.plugins.iter().map(|plugin| plugin.name).collect();
    names.sort_unstable();
    let choice = |name: &str| Choice { value: name.to_owned(), text: name.to_owned(), is_chosen: false };
    let plugins = names.into_iter().map(choice).collect();
    let page = visit.page("New plugin", ENTITIES).narrow();
    answer(200, &ChoosePluginPage { page, crumbs: sheet.crumbs(), plugins })
}

/// The form of a new item, empty or as it came with its faults.
pub(super) fn new_page(
    visit: &Visit,
    sheet: &Sheet<'_>,
    places: &[Place<'_>],
    typed: Option<&Form>,
    faults: &Faults,
    status: u16,
) -> Answer {
    let mut shown = defaults(places);
    // A link may say what the new one belongs to: `?service=…`
    let given = |place: &Place<'_>| place.target().and_then(|_| visit.query.filled(&place.name));
    for (place, id) in places.iter().filter_map(|place| Some((place, given(place)?))) {
        place.put(&mut shown, serde_json::json!({ "id": id }));
    }
    let filling = Filling { usage: Use::Create, shown: &shown, typed, faults };
    let title = match sheet.plugin.as_str() {
        "" => format!("New {}", sheet.collection.one),
        plugin => format!("New plugin {plugin}"),
    };
    let page = ItemPage {
        page: visit.page(title, ENTITIES).notice(notice(faults)),
        writes: visit.writes(),
        crumbs: sheet.crumbs(),
        action: format!("{}/new", sheet.path()),
        plugin: sheet.plugin.clone(),
        one: sheet.collection.one,
        is_new: true,
        facts: Vec::new(),
        sections: sections(places, &filling),
        faults: faults.across.clone(),
        revision: String::new(),
        links: Vec::new(),
    };
    Ok(answer(status, &page))
}

pub(in crate::console) async fn one(visit: &Visit, path: &str, id: &str) -> Answer {
    let (sheet, _, entity) = found(visit, path, id).await?;
    page_of(visit, &sheet, &entity, None, &Faults::default(), 200).await
}

/// The page of an item, as it is or with what was typed and what is wrong with it.
pub(super) async fn page_of(
    visit: &Visit,
    sheet: &Sheet<'_>,
    entity: &Entity,
    typed: Option<&Form>,
    faults: &Faults,
    status: u16,
) -> Answer {
    let id = entity.get("id").and_then(Value::as_str).unwrap_or_default();
    let places = places(&sheet.schema, Use::Change);
    let mut names = Names::new(visit);
    let mut sections = sections(&places, &Filling { usage: Use::Change, shown: entity, typed, faults });
    for control in sections.iter_mut().flat_map(|section| &mut section.controls) {
        let Some(place) = places.iter().find(|place| place.name == control.name) else { continue };
        let referred = place.value(entity).get("id").and_then(Value::as_str);
        if let (Some(target), Some(id)) = (place.target(), referred) {
            control.link = Some(names.link(target, id).await?);
        }
    }
    let page = visit.page(name_of(&sheet.schema, entity), ENTITIES);
    let page = if faults.is_empty() { page } else { page.notice(notice(faults)) };
    let page = ItemPage {
        page,
        writes: visit.writes(),
        crumbs: sheet.crumbs(),
        action: path_of(sheet.schema.name, id),
        plugin: String::new(),
        one: sheet.collection.one,
        is_new: false,
        facts: names.facts(&sheet.schema, entity, &FACTS).await?,
        sections,
        faults: faults.across.clone(),
        revision: revision(visit, &sheet.schema, entity),
        links: links(sheet, id),
    };
    Ok(answer(status, &page))
}

/// Texts across fields stand in a box of their own.
fn notice(faults: &Faults) -> Option<Notice> {
    let at_fields = !faults.is_empty() && faults.across.is_empty();
    at_fields.then(|| Notice::bad("It was not saved. What is wrong stands beside the fields."))
}

/// Pages that show more of it.
fn links(sheet: &Sheet<'_>, id: &str) -> Vec<Leads> {
    let leads = |path: String, text: &str| Leads { path, text: text.to_owned() };
    match sheet.schema.name {
        "services" => vec![leads(format!("/console/services/{id}"), "Contracts and document")],
        _ => Vec::new(),
    }
}

pub(in crate::console) async fn confirm_deletion(visit: &Visit, path: &str, id: &str) -> Answer {
    let (sheet, _, entity) = found(visit, path, id).await?;
    Ok(deletion(visit, &sheet, &entity, None, 200))
}

/// The question whether an item is to go; again, with the reason, when it cannot.
pub(super) fn deletion(
    visit: &Visit,
    sheet: &Sheet<'_>,
    entity: &Entity,
    refused: Option<Notice>,
    status: u16,
) -> HttpResponse {
    let id = entity.get("id").and_then(Value::as_str).unwrap_or_default();
    let path = path_of(sheet.schema.name, id);
    let (one, name) = (sheet.collection.one, name_of(&sheet.schema, entity));
    let page = ConfirmPage {
        page: visit.page(format!("Delete the {one} {name}?"), ENTITIES).narrow().notice(refused),
        text: "What hangs on it goes with it. This cannot be taken back.".to_owned(),
        action: format!("{path}/delete"),
        fields: Vec::new(),
        button: format!("Delete the {one}"),
        back: path,
    };
    answer(status, &page)
}

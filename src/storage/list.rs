//! Pages, counts and tags.

use serde_json::Value as Json;
use uuid::Uuid;

use crate::schema::Schema;

use super::crud::unknown;
use super::store::Outcome;
use super::table::{Role, Table};
use super::value::{Value, count};
use super::{ListQuery, Order, Page, Store, TagFilter, Tagged, rows};

/// A WHERE clause and its parameters.
struct Condition {
    text: String,
    params: Vec<Value>,
}

impl Condition {
    fn take(&mut self, value: Value) -> usize {
        self.params.push(value);
        self.params.len()
    }
}

impl Store {
    /// One page, in the order asked for.
    pub async fn list(&self, schema: &Schema, query: &ListQuery) -> Outcome<Page> {
        let table = self.table(schema);
        let mut condition = self.condition(&table, query)?;
        let order = self.ordered(&table, query, &mut condition)?;
        let limit = condition.take(count(query.size.saturating_add(1)));
        let sql = format!(
            "SELECT {} FROM {} WHERE 1 = 1{} ORDER BY {order} LIMIT ${limit}",
            table.selected(),
            table.name,
            condition.text
        );
        let keyring = self.keyring();
        let mut found = self.read(sql, condition.params).await?;
        let more = found.len() > query.size;
        found.truncate(query.size);
        let data = found.into_iter().map(|row| rows::entity(&table, row, &keyring)).collect::<Outcome<Vec<_>>>()?;
        let last = data.last().filter(|_| more).and_then(|entity| entity.get("id")?.as_str());
        let next = last.and_then(|id| Uuid::parse_str(id).ok());
        Ok(Page { data, next })
    }

    /// The order, and the condition that a page begins after what was given.
    fn ordered(&self, table: &Table, query: &ListQuery, condition: &mut Condition) -> Outcome<String> {
        let (column, descending, after) = match &query.order {
            Order::Oldest => (None, false, None),
            Order::Newest => (None, true, None),
            Order::By { field, descending, after } => {
                let column = table.searched(field).filter(|column| column.role == Role::Text);
                let column = column.ok_or_else(|| unknown(table, field))?;
                (Some(format!("{}{}", column.name, self.dialect().bytewise)), *descending, after.as_deref())
            }
        };
        let (sign, direction) = if descending { ("<", " DESC") } else { (">", "") };
        match (&column, query.after) {
            (None, Some(id)) => {
                let place = condition.take(id.into());
                condition.text.push_str(&format!(" AND id {sign} ${place}"));
            }
            (Some(column), Some(id)) => {
                let (text, id) = (condition.take(after.unwrap_or_default().into()), condition.take(id.into()));
                condition.text.push_str(&format!(" AND ({column}, id) {sign} (${text}, ${id})"));
            }
            (_, None) => {}
        }
        Ok(match column {
            Some(column) => format!("{column}{direction}, id{direction}"),
            None => format!("id{direction}"),
        })
    }

    /// How many rows the question has, exactly up to `limit`; `limit + 1` when there are more.
    pub async fn count(&self, schema: &Schema, query: &ListQuery, limit: u64) -> Outcome<u64> {
        let table = self.table(schema);
        let mut condition = self.condition(&table, query)?;
        let limit = condition.take(Value::Int(i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1)));
        let inner = format!("SELECT 1 AS one FROM {} WHERE 1 = 1{} LIMIT ${limit}", table.name, condition.text);
        let sql = format!("SELECT count(*) FROM ({inner}) AS counted");
        let found = self.read(sql, condition.params).await?.pop();
        let number = found.map_or(Ok(0), |row| row.read(table.name).int())?;
        Ok(u64::try_from(number).unwrap_or(0))
    }

    fn condition(&self, table: &Table, query: &ListQuery) -> Outcome<Condition> {
        let mut condition = Condition { text: String::new(), params: Vec::new() };
        if table.ends {
            let place = condition.take(self.now().into());
            condition.text.push_str(&table.live(place));
        }
        for (field, wanted) in &query.filters {
            self.filter(table, field, wanted, &mut condition)?;
        }
        let (tags, test) = match &query.tags {
            TagFilter::None => return Ok(condition),
            TagFilter::All(tags) => {
                (tags, "NOT EXISTS (SELECT 1 FROM {each}(${n}) AS w WHERE w.value NOT IN ({have}))")
            }
            TagFilter::Any(tags) => (tags, "EXISTS (SELECT 1 FROM {each}(${n}) AS w WHERE w.value IN ({have}))"),
        };
        if !table.tagged {
            return Err(unknown(table, "tags"));
        }
        // One parameter for any number of tags, so that the number of statements stays small.
        let place = condition.take(Value::Json(tags.clone().into()));
        let each = self.dialect().each;
        let have = format!("SELECT h.value FROM {each}({}.tags) AS h", table.name);
        let test = test.replace("{each}", each).replace("{n}", &place.to_string()).replace("{have}", &have);
        condition.text.push_str(&format!(" AND {test}"));
        Ok(condition)
    }

    fn filter(&self, table: &Table, field: &str, wanted: &Json, condition: &mut Condition) -> Outcome<()> {
        if let Some(name) = field.strip_suffix("[]") {
            return self.member(table, name, wanted, condition);
        }
        if let Some(name) = field.strip_suffix("_from") {
            return self.bound(table, name, ">=", wanted, condition);
        }
        if let Some(name) = field.strip_suffix("_to") {
            return self.bound(table, name, "<=", wanted, condition);
        }
        let name = field.strip_suffix(".id").unwrap_or(field);
        let column = table.searched(name).filter(|column| column.role != Role::Json);
        let column = column.filter(|column| name == field || column.role == Role::Foreign);
        let column = column.ok_or_else(|| unknown(table, field))?;
        if wanted.is_null() {
            condition.text.push_str(&format!(" AND {} IS NULL", column.name));
            return Ok(());
        }
        let value = match (column.role, wanted) {
            (Role::Digest, Json::String(text)) => Some(self.keyring().digest(text.as_bytes()).into()),
            (role, wanted) => rows::plain(role, wanted).or_else(|| rows::plain(role, &spelled(wanted))),
        };
        match value {
            Some(Value::Text(text)) if text.contains('\0') => condition.text.push_str(" AND 1 = 0"),
            Some(value) => {
                let place = condition.take(value);
                condition.text.push_str(&format!(" AND {} = ${place}", column.name));
            }
            None => condition.text.push_str(" AND 1 = 0"),
        }
        Ok(())
    }

    /// Rows whose instant `field` is not before, or not after, this one.
    fn bound(&self, table: &Table, field: &str, sign: &str, wanted: &Json, condition: &mut Condition) -> Outcome<()> {
        let column = table.searched(field).filter(|column| column.role == Role::Time);
        let column = column.ok_or_else(|| unknown(table, field))?;
        match rows::plain(Role::Time, wanted) {
            Some(value) => {
                let place = condition.take(value);
                condition.text.push_str(&format!(" AND {} {sign} ${place}", column.name));
            }
            None => condition.text.push_str(" AND 1 = 0"),
        }
        Ok(())
    }

    /// Rows whose set of texts `field` holds this one.
    fn member(&self, table: &Table, field: &str, wanted: &Json, condition: &mut Condition) -> Outcome<()> {
        let column = table.searched(field).filter(|column| column.role == Role::Json);
        let column = column.ok_or_else(|| unknown(table, field))?;
        let Some(text) = wanted.as_str().filter(|text| !text.contains('\0')) else {
            condition.text.push_str(" AND 1 = 0");
            return Ok(());
        };
        let place = condition.take(text.into());
        let (each, table, column) = (self.dialect().each, table.name, &column.name);
        let test = format!(" AND EXISTS (SELECT 1 FROM {each}({table}.{column}) AS e WHERE e.value = ${place})");
        condition.text.push_str(&test);
        Ok(())
    }

    /// Tags of these tables (all, or the one given) in the order of table, id, tag, after the given one.
    pub async fn list_tags(
        &self,
        schemas: &[&Schema],
        tag: Option<&str>,
        after: Option<&Tagged>,
        size: usize,
    ) -> Outcome<Vec<Tagged>> {
        let tables = schemas.iter().map(|schema| self.table(schema)).filter(|table| table.tagged);
        let each = self.dialect().each;
        let parts: Vec<String> = tables.map(|table| tags_of(&table, each)).collect();
        if parts.is_empty() || tag.is_some_and(|tag| tag.contains('\0')) {
            return Ok(Vec::new());
        }
        let start = Tagged { entity: String::new(), id: Uuid::nil(), tag: String::new() };
        let after = after.unwrap_or(&start);
        let mut params = vec![after.entity.as_str().into(), after.id.into(), after.tag.as_str().into(), count(size)];
        params.extend(tag.map(Value::from));
        let only = if tag.is_some() { " AND tag = $5" } else { "" };
        let sql = format!(
            "SELECT id, entity, tag FROM ({}) AS tagged WHERE (entity, id, tag) > ($1, $2, $3){only}
             ORDER BY entity, id, tag LIMIT $4",
            parts.join(" UNION ALL ")
        );
        let found = self.read(sql, params).await?;
        found
            .into_iter()
            .map(|row| {
                let mut columns = row.read("tags");
                Ok(Tagged { id: columns.uuid()?, entity: columns.text()?, tag: columns.text()? })
            })
            .collect()
    }
}

fn tags_of(table: &Table, each: &str) -> String {
    let name = table.name;
    format!("SELECT '{name}' AS entity, e.id AS id, t.value AS tag FROM {name} AS e, {each}(e.tags) AS t")
}

/// A text from a query string as the number or truth it spells.
fn spelled(wanted: &Json) -> Json {
    wanted.as_str().and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Json::Null)
}

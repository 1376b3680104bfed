//! `config explain`: each value and where it came from.

use super::layers::Layers;
use super::table::SETTINGS;

/// One line per setting: name, value (secrets masked), origin, meaning. Aligned for reading.
pub fn explain(layers: &Layers) -> String {
    let rows: Vec<[String; 4]> = SETTINGS
        .iter()
        .map(|setting| {
            let text = layers.text(setting.name);
            let shown = match (text.is_empty(), setting.secret) {
                (true, _) => "-".to_owned(),
                (false, true) => "********".to_owned(),
                (false, false) => text.to_owned(),
            };
            [setting.name.to_owned(), shown, layers.origin(setting.name).to_string(), setting.meaning.to_owned()]
        })
        .collect();
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let (name, value, origin) = (width(0), width(1), width(2));
    rows.iter().map(|row| format!("{:name$}  {:value$}  {:origin$}  {}\n", row[0], row[1], row[2], row[3])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Mode;

    #[test]
    fn secrets_are_masked() {
        let variables = [("TOLLGATE_DATABASE_URL".to_owned(), "postgres://u:hunter2@h/d".to_owned())];
        let text = explain(&Layers::defaults(Mode::Serve).with_environment(variables.into_iter()));
        assert!(!text.contains("hunter2"));
        let line = text.lines().find(|line| line.starts_with("database.url")).unwrap();
        assert!(line.contains("********") && line.contains("environment TOLLGATE_DATABASE_URL"), "{line}");
    }
}

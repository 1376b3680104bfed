//! `docs/settings.md` is made from the table of settings.

use std::fmt::Write;
use std::fs;

use tollgate::config::{SETTINGS, Setting};

use super::root;

const HEAD: &str = "\
# Settings

This page is written from `src/config/table.rs` by `TOLLGATE_WRITE_DOCS=1 cargo test --test docs settings`; a test compares.

A setting has its default, and may be given in three places. Later ones win:

1. a file (TOML): `tollgate serve --config tollgate.toml`
2. the environment: `TOLLGATE_` + the name in capitals, with `_` for the point
3. a flag: `--set proxy.workers=4`, on every command that reads settings

```sh
cat >tollgate.toml <<'END'
[proxy]
workers = 4
trusted_ips = [\"10.0.0.0/8\", \"fd00::/8\"]

[log]
level = \"warn\"
END
export TOLLGATE_DATABASE_URL=sqlite:tollgate.db TOLLGATE_KEYRING_FILE=keyring
tollgate config explain --config tollgate.toml --set log.level=debug | grep -E '^(proxy.workers|log.level|database.url)'
```

```text
proxy.workers … 4 … file tollgate.toml …
database.url … ******** … environment TOLLGATE_DATABASE_URL …
log.level … debug … flag …
```

`tollgate config check` tells every fault at once and ends with 64. Lists are arrays in the file and parted by commas
elsewhere. Durations have a unit: `500ms`, `2s`, `5m`, `1h`. Where nothing is set, `-` stands below: none. A listener is
switched off by `none`. *Secret* values are masked wherever settings are shown. SIGHUP reads `log.level`, `admin.tokens` and
the certificates in files again, and opens `log.access_file` anew; the keyring's file is looked at every second; everything
else is read at the start.
";

/// What a section is about, in the order of the table.
const SECTIONS: &[(&str, &str)] = &[
    ("proxy", "What clients reach. [limits.md](limits.md) has the limits that are built in."),
    ("admin", "The Admin API and the console: [admin-api.md](admin-api.md), [console.md](console.md)."),
    ("portal", "The developer portal: [portal.md](portal.md)."),
    ("smtp", "Mails of the portal."),
    ("status", "Probes and metrics: [operations.md](operations.md), [metrics.md](metrics.md)."),
    ("database", "PostgreSQL or SQLite: [cluster.md](cluster.md#postgresql)."),
    ("redis", "What nodes tell each other through: [cluster.md](cluster.md#redis)."),
    ("cluster", "How nodes keep a revocation: [consistency.md](consistency.md)."),
    ("keyring", "The keys that seal what is stored: [security.md](security.md#keys)."),
    ("log", "The program's log and the [access log](access-log.md)."),
    ("telemetry", "Traces: [tracing.md](tracing.md)."),
];

fn page() -> String {
    let mut text = HEAD.to_owned();
    for (section, about) in SECTIONS {
        write!(text, "\n## {section}\n\n{about}\n\n").unwrap();
        text.push_str("| setting | environment | `serve` | `dev` | meaning |\n|---|---|---|---|---|\n");
        let prefix = format!("{section}.");
        for setting in SETTINGS.iter().filter(|setting| setting.name.starts_with(&prefix)) {
            text.push_str(&row(setting));
        }
    }
    text
}

fn row(setting: &Setting) -> String {
    let default = |text: &str| if text.is_empty() { "-".to_owned() } else { format!("`{text}`") };
    let dev = match setting.name {
        "database.url" => "a file in the data folder".to_owned(),
        "keyring.file" | "proxy.tls_cert" | "proxy.tls_key" => "made in the data folder".to_owned(),
        _ => default(setting.dev),
    };
    let secret = if setting.secret { " *(secret)*" } else { "" };
    let meaning = setting.meaning.replace('|', "\\|").replace('<', "&lt;");
    let (name, variable, serve) = (setting.name, setting.variable(), default(setting.serve));
    format!("| `{name}` | `{variable}` | {serve} | {dev} | {meaning}{secret} |\n")
}

#[test]
fn the_page_of_settings_is_the_table() {
    let path = root().join("docs/settings.md");
    let page = page();
    for setting in SETTINGS {
        assert!(page.contains(&format!("| `{}` |", setting.name)), "{} has no section", setting.name);
    }
    if std::env::var_os("TOLLGATE_WRITE_DOCS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page, "docs/settings.md is old: TOLLGATE_WRITE_DOCS=1 cargo test --test docs settings");
}

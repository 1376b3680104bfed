//! The frame of the console's pages.

use crate::pages::{Link, Site};

pub(super) const HOME: &str = "/console";
pub(super) const REQUESTS: &str = "/console/requests";
pub(super) const DEVELOPERS: &str = "/console/developers";
pub(super) const APPLICATIONS: &str = "/console/applications";
pub(super) const SERVICES: &str = "/console/services";
pub(super) const ENTITIES: &str = "/console/entities";
pub(super) const TOKENS: &str = "/console/tokens";
pub(super) const MAILS: &str = "/console/mails";
pub(super) const AUDIT: &str = "/console/audit";
pub(super) const LOGIN: &str = "/console/login";

pub(super) static SITE: Site = Site {
    name: "tollgate console",
    home: HOME,
    account: "",
    log_out: "/console/logout",
    assets: "/console/assets",
    foot: concat!("tollgate ", env!("CARGO_PKG_VERSION"), ", console for administrators"),
    public: &[],
    private: &[
        Link { path: HOME, text: "Overview" },
        Link { path: REQUESTS, text: "Requests" },
        Link { path: DEVELOPERS, text: "Developers" },
        Link { path: APPLICATIONS, text: "Applications" },
        Link { path: SERVICES, text: "Services" },
        Link { path: ENTITIES, text: "Configuration" },
        Link { path: TOKENS, text: "Tokens" },
        Link { path: MAILS, text: "Mails" },
        Link { path: AUDIT, text: "Audit log" },
    ],
};

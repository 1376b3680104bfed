//! An authority of the test's own, and what it signs.

use std::fs;
use std::path::Path;

use crate::server::Folder;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// Lays `NAME.pem` and `NAME.key` into the folder: a certificate for these hosts.
    pub fn issue(&self, folder: &Path, name: &str, hosts: &[&str]) {
        let key = KeyPair::generate().unwrap();
        let mut params =
            CertificateParams::new(hosts.iter().map(|host| (*host).to_owned()).collect::<Vec<_>>()).unwrap();
        // A name of its own: OpenSSL takes a certificate that is named as its issuer for one that signed itself.
        params.distinguished_name.push(DnType::CommonName, name);
        fs::write(folder.join(format!("{name}.pem")), params.signed_by(&key, &self.0).unwrap().pem()).unwrap();
        fs::write(folder.join(format!("{name}.key")), key.serialize_pem()).unwrap();
    }

    /// What a server needs to speak TLS on this machine; the files are laid into the folder.
    pub fn settings(&self, folder: &Folder) -> Vec<String> {
        self.write(folder.path());
        self.issue(folder.path(), "server", &["localhost", "127.0.0.1"]);
        let files = [("cert-file", "server.pem"), ("key-file", "server.key"), ("ca-cert-file", "ca.pem")];
        let settings = files.map(|(name, file)| [format!("--tls-{name}"), folder.join(file).display().to_string()]);
        settings.into_iter().flatten().collect()
    }

    pub fn write(&self, folder: &Path) {
        fs::write(folder.join("ca.pem"), self.0.pem()).unwrap();
    }
}

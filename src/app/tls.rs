//! The certificate of `tollgate dev`: self-signed, for loopback, made once.

use std::fs;
use std::path::Path;

use super::error::Failure;
use super::private_file;

const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// Makes `cert.pem` and `key.pem` in `folder`, unless both are there.
pub(super) fn ensure_self_signed(folder: &Path) -> Result<(), Failure> {
    let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    if cert.exists() && key.exists() {
        return Ok(());
    }
    fs::create_dir_all(folder)
        .map_err(|error| Failure::Failed(format!("cannot make {}: {error}", folder.display())))?;
    let names = NAMES.map(str::to_owned).to_vec();
    let made = rcgen::generate_simple_self_signed(names)
        .map_err(|error| Failure::Failed(format!("cannot make a certificate: {error}")))?;
    for (path, pem) in [(&key, made.signing_key.serialize_pem()), (&cert, made.cert.pem())] {
        private_file::write(path, pem.as_bytes())
            .map_err(|error| Failure::Failed(format!("cannot write {}: {error}", path.display())))?;
    }
    Ok(())
}

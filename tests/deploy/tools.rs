//! Programs of others that the files are written for. `tests/run` installs them; a missing one fails its test.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Debian keeps servers out of the path of users.
const FOLDERS: [&str; 3] = ["/usr/sbin", "/usr/bin", "/sbin"];

/// A program of the system.
pub fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(FOLDERS.map(PathBuf::from));
    let found = folders.map(|folder| folder.join(name)).find(|file| file.exists());
    found.unwrap_or_else(|| panic!("{name} is missing; tests/run installs it"))
}

/// A program of the Python that `tests/run` makes.
pub fn python_script(name: &str) -> PathBuf {
    let python = std::env::var_os("TOLLGATE_TEST_PYTHON").expect("tests/run sets TOLLGATE_TEST_PYTHON");
    let script = Path::new(&python).with_file_name(name);
    assert!(script.exists(), "{name} is missing in the tests' Python; tests/run installs it");
    script
}

/// Runs it to its end and gives what it wrote on standard output. Panics with all of what it said when it fails.
pub fn said(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed ({}):\n{text}{errors}", output.status);
    text
}

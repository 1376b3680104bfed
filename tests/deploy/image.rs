//! The container image. A release build is not made for it here: `deploy/check-image` holds one against 40 MiB.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::tools::{program, python_script, said};

/// Bytes that the image may have beside the gateway: a C library and certificates.
const MOST_BESIDE: f64 = 8.0;

fn deploy(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(file)
}

#[test]
fn the_dockerfile_is_as_hadolint_likes_it() {
    said(Command::new(python_script("hadolint")).arg(deploy("Dockerfile")));
}

#[test]
fn the_image_is_small_has_no_root_and_starts_on_a_read_only_disk() {
    let folder = crate::support::Folder::new();
    let stripped = folder.join("tollgate");
    said(Command::new(program("strip")).arg("-o").arg(&stripped).arg(env!("CARGO_BIN_EXE_tollgate")));
    let figures = said(Command::new(deploy("check-image")).arg(&stripped).env("MOST_MIB", "200"));
    // "image: 28.0 MiB, of it the binary 24.7 MiB; …"
    let sizes: Vec<f64> = figures.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    assert!(sizes[0] > sizes[1] && sizes[0] - sizes[1] < MOST_BESIDE, "{figures}");
}

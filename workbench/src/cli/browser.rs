//! Opens a page in a browser.

use std::io;
use std::path::Path;

/// Opens `page` in the browser that `BROWSER` names, or in the system's default, and does not wait for it.
pub(super) fn open(page: &Path) -> io::Result<()> {
    // Browsers may run in another directory.
    let page = page.canonicalize()?;
    if let Some(named) = std::env::var("BROWSER").ok().filter(|named| !named.is_empty()) {
        return open_with(&page, &named);
    }
    if !has_display() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "no display, and BROWSER is not set"));
    }
    ::open::that_detached(page)
}

/// Starts the first of several browsers, separated by colons, that can be started.
fn open_with(page: &Path, named: &str) -> io::Result<()> {
    let mut tried = Err(io::Error::new(io::ErrorKind::NotFound, "BROWSER is empty"));
    for browser in named.split(':').filter(|browser| !browser.is_empty()) {
        match ::open::with_detached(page, browser) {
            Ok(()) => return Ok(()),
            Err(error) => tried = Err(io::Error::new(error.kind(), format!("BROWSER={browser}: {error}"))),
        }
    }
    tried
}

/// Whether the environment names a display. On macOS there always is one.
fn has_display() -> bool {
    let names = ["DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"];
    cfg!(target_os = "macos") || names.iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

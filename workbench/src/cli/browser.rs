//! Shows a page in a browser.

use std::io;
use std::path::Path;

use crate::cli::output::Output;

/// Opens `page` in the browser that `BROWSER` names, or in the system's own, and does not wait for it.
///
/// # Errors
///
/// If there is none, or no display to show it on.
pub(super) fn open(page: &Path) -> io::Result<()> {
    // Browsers may run elsewhere in the file system.
    let page = page.canonicalize()?;
    if let Some(named) = std::env::var("BROWSER").ok().filter(|named| !named.is_empty()) {
        return open_with(&page, &named);
    }
    if !has_display() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "there is no display, and BROWSER names no browser"));
    }
    ::open::that_detached(page)
}

/// The first of several browsers, separated by colons, that can be started.
fn open_with(page: &Path, named: &str) -> io::Result<()> {
    let mut tried = Err(io::Error::new(io::ErrorKind::NotFound, "BROWSER names no browser"));
    for browser in named.split(':').filter(|browser| !browser.is_empty()) {
        match ::open::with_detached(page, browser) {
            Ok(()) => return Ok(()),
            Err(error) => tried = Err(io::Error::new(error.kind(), format!("BROWSER={browser}: {error}"))),
        }
    }
    tried
}

/// Whether a window can appear: only where a display is named by the environment is that not certain.
fn has_display() -> bool {
    let names = ["DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"];
    cfg!(target_os = "macos") || names.iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// Opens the page of a report that was just written. The verdict stands whether a browser shows it or not.
pub(super) fn try_open(page: &Path, output: Output) {
    if let Err(error) = open(page) {
        output.progress(&format!("the page was not opened: {error}; it is {}", page.display()));
    }
}

//! The disk under a directory.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::kernel_file::read_line;

/// File system and device under a directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Disk {
    /// Type of the file system: `ext4`, `xfs`, `tmpfs`, ….
    pub file_system: String,
    /// Device: `/dev/nvme0n1p1`.
    pub device: String,
    /// Whether it is a spinning disk; `None` if the kernel does not say.
    pub rotational: Option<bool>,
    /// Size of the file system, bytes.
    pub total_bytes: u64,
    /// Space an unprivileged process may still use, bytes.
    pub free_bytes: u64,
}

impl Disk {
    /// The disk under `directory`; figures that cannot be read stay empty or 0.
    pub(crate) fn under(directory: &Path) -> Self {
        let directory = fs::canonicalize(directory).unwrap_or_else(|_| directory.to_owned());
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let mount = Mount::of(&mounts, &directory);
        let space = rustix::fs::statvfs(&directory).ok();
        Self {
            file_system: mount.as_ref().map_or_else(String::new, |mount| mount.file_system.clone()),
            device: mount.map_or_else(String::new, |mount| mount.device),
            rotational: fs::metadata(&directory).ok().and_then(|metadata| rotational(metadata.dev())),
            total_bytes: space.as_ref().map_or(0, |space| space.f_blocks * space.f_frsize),
            free_bytes: space.map_or(0, |space| space.f_bavail * space.f_frsize),
        }
    }
}

fn rotational(device: u64) -> Option<bool> {
    let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
    let block = PathBuf::from(format!("/sys/dev/block/{major}:{minor}"));
    // A partition has no queue of its own; its disk, one level up, has one.
    let flag = read_line(block.join("queue/rotational")).or_else(|| read_line(block.join("../queue/rotational")))?;
    Some(flag == "1")
}

#[derive(Debug, PartialEq, Eq)]
struct Mount {
    point: PathBuf,
    file_system: String,
    device: String,
}

impl Mount {
    /// The mount of a directory: the longest matching mount point; of equal ones the last, which hides the others.
    fn of(mountinfo: &str, directory: &Path) -> Option<Self> {
        mountinfo
            .lines()
            .filter_map(Self::parse)
            .filter(|mount| directory.starts_with(&mount.point))
            .max_by_key(|mount| mount.point.as_os_str().len())
    }

    /// `36 35 98:0 /root /mount/point options optional… - type source super-options` (proc(5)).
    fn parse(line: &str) -> Option<Self> {
        let (front, back) = line.split_once(" - ")?;
        let point = front.split(' ').nth(4)?.replace("\\040", " ");
        let mut back = back.split(' ');
        Some(Self { point: point.into(), file_system: back.next()?.to_owned(), device: back.next()?.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_on_the_mount_with_the_longest_matching_point() {
        let mounts = "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n\
                      40 22 0:30 / /dev/shm rw shared:5 - tmpfs tmpfs rw\n\
                      41 22 8:17 / /data\\040disk rw - xfs /dev/sdb1 rw\n";
        let found = |path: &str| Mount::of(mounts, Path::new(path)).unwrap().file_system;
        assert_eq!(found("/home/x"), "ext4");
        assert_eq!(found("/dev/shm/x"), "tmpfs");
        assert_eq!(found("/data disk/x"), "xfs");
        assert_eq!(found("/dev/shmx"), "ext4");
    }

    #[test]
    fn this_directory_is_on_a_disk_with_a_size() {
        let disk = Disk::under(Path::new("."));
        assert!(disk.total_bytes > 0 && disk.free_bytes <= disk.total_bytes);
        assert!(!disk.file_system.is_empty());
    }
}

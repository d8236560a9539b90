//! Mounts a [`Disk`] through FUSE.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use fuser::{
    BackgroundSession, Config, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation, INodeNo,
    KernelConfig, LockOwner, MountOption, OpenFlags, RenameFlags, ReplyAttr, ReplyCreate, ReplyData, ReplyDirectory,
    ReplyEmpty, ReplyEntry, ReplyOpen, ReplyStatfs, ReplyWrite, Request, TimeOrNow, WriteFlags,
};

use super::disk::{Attributes, Disk, DiskError};
use super::fault::CutPoint;

/// Nothing else changes the file system, so the kernel may keep what it knows.
const KEEP: Duration = Duration::from_secs(3600);
const BLOCK_BYTES: u32 = 4096;
const MAX_NAME_BYTES: u32 = 255;
/// Longest single write, bytes.
const MAX_WRITE_BYTES: u32 = 1 << 20;
const FUSE: &str = "/dev/fuse";

/// A mounted [`Disk`] whose power can be cut. It is unmounted when this is dropped.
#[derive(Debug)]
pub struct PoweredMount {
    directory: PathBuf,
    disk: Arc<Mutex<Disk>>,
    session: Option<BackgroundSession>,
}

/// Why no disk can be mounted here.
#[derive(Debug, thiserror::Error)]
#[error("power cuts need FUSE: {0}")]
pub struct MountError(String);

impl PoweredMount {
    /// Mounts `disk` at `directory`, an empty one.
    ///
    /// # Errors
    ///
    /// [`MountError`] if FUSE is missing or not permitted.
    pub fn new(directory: &Path, disk: Disk) -> Result<Self, MountError> {
        let mut mount = Self { directory: directory.to_owned(), disk: Arc::new(Mutex::new(disk)), session: None };
        let device = std::fs::File::options().read(true).write(true).open(FUSE);
        device.map_err(|error| MountError(format!("cannot open {FUSE}: {error}")))?;
        mount.mount().map_err(|error| {
            MountError(format!(
                "cannot mount a file system, which needs root (CAP_SYS_ADMIN) or the program fusermount3: {error}"
            ))
        })?;
        Ok(mount)
    }

    fn mount(&mut self) -> io::Result<()> {
        let file_system = Fuse { disk: Arc::clone(&self.disk), mounted: SystemTime::now() };
        let mut config = Config::default();
        config.mount_options = vec![MountOption::FSName("ave-power-cut".to_owned())];
        self.session = Some(fuser::spawn_mount(file_system, &self.directory, &config)?);
        Ok(())
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        lock(&self.disk)
    }

    /// Lets the power go off at a random operation from now on.
    pub fn plan_cut(&self, seed: u64) {
        self.disk().set_cut_point(Some(CutPoint::random(seed)));
    }

    /// Like [`PoweredMount::plan_cut`], among the first operations.
    pub fn plan_early_cut(&self, seed: u64) {
        self.disk().set_cut_point(Some(CutPoint::early(seed)));
    }

    /// Whether a sync has failed since the last restart.
    pub fn has_failed(&self) -> bool {
        self.disk().has_failed()
    }

    /// Whether the power is on.
    pub fn is_on(&self) -> bool {
        self.disk().is_on()
    }

    /// Switches the power off: all operations fail.
    pub fn power_off(&self) {
        self.disk().power_off();
    }

    /// Makes everything durable, as `sync` does.
    pub fn sync_all(&self) {
        self.disk().sync_all();
    }

    /// Switches the power off and on again: of what was not synced, `seed` decides what is left. No process may use the
    /// file system.
    ///
    /// # Errors
    ///
    /// It cannot be unmounted or mounted again.
    pub fn restart(&mut self, seed: u64) -> io::Result<()> {
        self.power_off();
        self.unmount()?;
        self.disk().restart(seed);
        self.mount()
    }

    fn unmount(&mut self) -> io::Result<()> {
        let Some(session) = self.session.take() else { return Ok(()) };
        // A process that another thread starts has the open files of this one for a moment: an ordinary unmount would
        // fail. Without the permission to detach, fusermount3 unmounts.
        let ended = match rustix::mount::unmount(&self.directory, rustix::mount::UnmountFlags::DETACH) {
            Ok(()) => session.join(),
            Err(_) => session.umount_and_join(),
        };
        // The kernel ends a connection with either of two errors, of which `fuser` knows one.
        let aborted = Some(rustix::io::Errno::CONNABORTED.raw_os_error());
        ended.or_else(|error| if error.raw_os_error() == aborted { Ok(()) } else { Err(error) })
    }
}

impl Drop for PoweredMount {
    fn drop(&mut self) {
        // A mount that is left shows no files, and a restart of the system removes it.
        let _ = self.unmount();
    }
}

/// Unmounts a file system whose process is dead.
pub(crate) fn unmount_dead(directory: &Path) {
    let is_dead = |error: io::Error| error.raw_os_error() == Some(rustix::io::Errno::NOTCONN.raw_os_error());
    if directory.read_dir().err().is_some_and(is_dead) {
        // On failure its directory cannot be removed, which is reported.
        let _ = rustix::mount::unmount(directory, rustix::mount::UnmountFlags::DETACH);
    }
}

fn lock(disk: &Mutex<Disk>) -> MutexGuard<'_, Disk> {
    disk.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Translates the kernel's requests.
struct Fuse {
    disk: Arc<Mutex<Disk>>,
    mounted: SystemTime,
}

impl Fuse {
    fn disk(&self) -> MutexGuard<'_, Disk> {
        lock(&self.disk)
    }

    fn attributes(&self, attributes: Attributes) -> FileAttr {
        FileAttr {
            ino: INodeNo(attributes.inode),
            size: attributes.bytes,
            blocks: attributes.bytes.div_ceil(512),
            atime: self.mounted,
            mtime: self.mounted,
            ctime: self.mounted,
            crtime: self.mounted,
            kind: file_type(attributes),
            perm: attributes.mode,
            nlink: u32::try_from(attributes.links).unwrap_or(u32::MAX),
            uid: rustix::process::geteuid().as_raw(),
            gid: rustix::process::getegid().as_raw(),
            rdev: 0,
            blksize: BLOCK_BYTES,
            flags: 0,
        }
    }

    /// A thread waits for a slow sync, so that other requests are served meanwhile. Until the reply, the kernel keeps the
    /// file system in use.
    fn sync(&self, end: impl FnOnce(&mut Disk) -> Result<(), DiskError> + Send + 'static, reply: ReplyEmpty) {
        let begun = self.disk().begin_sync();
        match begun {
            Ok(Duration::ZERO) => done(end(&mut self.disk()), reply),
            Ok(time) => {
                let disk = Arc::clone(&self.disk);
                std::thread::spawn(move || {
                    std::thread::sleep(time);
                    done(end(&mut lock(&disk)), reply);
                });
            }
            Err(error) => reply.error(errno(error)),
        }
    }

    fn entry(&self, found: Result<Attributes, DiskError>, reply: ReplyEntry) {
        match found {
            Ok(found) => reply.entry(&KEEP, &self.attributes(found), Generation(0)),
            Err(error) => reply.error(errno(error)),
        }
    }
}

const fn file_type(attributes: Attributes) -> FileType {
    if attributes.is_directory { FileType::Directory } else { FileType::RegularFile }
}

fn errno(error: DiskError) -> Errno {
    match error {
        DiskError::NotFound => Errno::ENOENT,
        DiskError::Exists => Errno::EEXIST,
        DiskError::IsDirectory => Errno::EISDIR,
        DiskError::NotDirectory => Errno::ENOTDIR,
        DiskError::NotEmpty => Errno::ENOTEMPTY,
        DiskError::NoSpace => Errno::ENOSPC,
        DiskError::InputOutput => Errno::EIO,
    }
}

fn done(result: Result<(), DiskError>, reply: ReplyEmpty) {
    match result {
        Ok(()) => reply.ok(),
        Err(error) => reply.error(errno(error)),
    }
}

impl Filesystem for Fuse {
    fn init(&mut self, _request: &Request, config: &mut KernelConfig) -> io::Result<()> {
        // Where the kernel permits less, the writes are shorter.
        let _ = config.set_max_write(MAX_WRITE_BYTES);
        Ok(())
    }

    fn lookup(&self, _request: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        self.entry(self.disk().look_up(parent.0, name), reply);
    }

    fn getattr(&self, _request: &Request, inode: INodeNo, _file: Option<FileHandle>, reply: ReplyAttr) {
        match self.disk().attributes(inode.0) {
            Ok(found) => reply.attr(&KEEP, &self.attributes(found)),
            Err(error) => reply.error(errno(error)),
        }
    }

    fn setattr(
        &self,
        _request: &Request,
        inode: INodeNo,
        _mode: Option<u32>,
        _uid: Option<u32>,
        _gid: Option<u32>,
        size: Option<u64>,
        _atime: Option<TimeOrNow>,
        _mtime: Option<TimeOrNow>,
        _ctime: Option<SystemTime>,
        _file: Option<FileHandle>,
        _crtime: Option<SystemTime>,
        _chgtime: Option<SystemTime>,
        _bkuptime: Option<SystemTime>,
        _flags: Option<fuser::BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let mut disk = self.disk();
        let resized = size.map_or(Ok(()), |size| disk.resize(inode.0, size));
        match resized.and_then(|()| disk.attributes(inode.0)) {
            Ok(found) => reply.attr(&KEEP, &self.attributes(found)),
            Err(error) => reply.error(errno(error)),
        }
    }

    fn mkdir(&self, _request: &Request, parent: INodeNo, name: &OsStr, _mode: u32, _umask: u32, reply: ReplyEntry) {
        self.entry(self.disk().create_directory(parent.0, name), reply);
    }

    fn unlink(&self, _request: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        done(self.disk().remove(parent.0, name), reply);
    }

    fn rmdir(&self, _request: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        done(self.disk().remove_directory(parent.0, name), reply);
    }

    fn rename(
        &self,
        _request: &Request,
        parent: INodeNo,
        name: &OsStr,
        new_parent: INodeNo,
        new_name: &OsStr,
        flags: RenameFlags,
        reply: ReplyEmpty,
    ) {
        if !flags.is_empty() {
            return reply.error(Errno::EINVAL);
        }
        done(self.disk().rename((parent.0, name), (new_parent.0, new_name)), reply);
    }

    fn link(&self, _request: &Request, inode: INodeNo, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        self.entry(self.disk().link(inode.0, parent.0, name), reply);
    }

    fn create(
        &self,
        _request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        _flags: i32,
        reply: ReplyCreate,
    ) {
        let mode = u16::try_from(mode & !umask & 0o777).unwrap_or_default();
        match self.disk().create(parent.0, name, mode) {
            Ok(found) => {
                let attributes = self.attributes(found);
                reply.created(&KEEP, &attributes, Generation(0), FileHandle(0), FopenFlags::FOPEN_KEEP_CACHE);
            }
            Err(error) => reply.error(errno(error)),
        }
    }

    fn open(&self, _request: &Request, inode: INodeNo, _flags: OpenFlags, reply: ReplyOpen) {
        match self.disk().open(inode.0) {
            Ok(()) => reply.opened(FileHandle(0), FopenFlags::FOPEN_KEEP_CACHE),
            Err(error) => reply.error(errno(error)),
        }
    }

    fn release(
        &self,
        _request: &Request,
        inode: INodeNo,
        _file: FileHandle,
        _flags: OpenFlags,
        _owner: Option<LockOwner>,
        _flush: bool,
        reply: ReplyEmpty,
    ) {
        self.disk().close(inode.0);
        reply.ok();
    }

    fn read(
        &self,
        _request: &Request,
        inode: INodeNo,
        _file: FileHandle,
        offset: u64,
        size: u32,
        _flags: OpenFlags,
        _owner: Option<LockOwner>,
        reply: ReplyData,
    ) {
        match self.disk().read(inode.0, offset, size) {
            Ok(bytes) => reply.data(bytes),
            Err(error) => reply.error(errno(error)),
        }
    }

    fn write(
        &self,
        _request: &Request,
        inode: INodeNo,
        _file: FileHandle,
        offset: u64,
        data: &[u8],
        _write_flags: WriteFlags,
        _flags: OpenFlags,
        _owner: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        match self.disk().write(inode.0, offset, data) {
            Ok(()) => reply.written(u32::try_from(data.len()).unwrap_or(u32::MAX)),
            Err(error) => reply.error(errno(error)),
        }
    }

    fn flush(&self, _request: &Request, _inode: INodeNo, _file: FileHandle, _owner: LockOwner, reply: ReplyEmpty) {
        reply.ok();
    }

    fn fsync(&self, _request: &Request, inode: INodeNo, _file: FileHandle, _data_only: bool, reply: ReplyEmpty) {
        self.sync(move |disk| disk.sync(inode.0), reply);
    }

    fn fsyncdir(&self, _request: &Request, inode: INodeNo, _file: FileHandle, _data_only: bool, reply: ReplyEmpty) {
        self.sync(move |disk| disk.sync_directory(inode.0), reply);
    }

    fn readdir(&self, _request: &Request, inode: INodeNo, _file: FileHandle, offset: u64, mut reply: ReplyDirectory) {
        let mut disk = self.disk();
        let own = disk.attributes(inode.0);
        let entries = match own.and_then(|own| Ok((own, disk.list(inode.0)?))) {
            Ok((own, entries)) => [(OsString::from("."), own), (OsString::from(".."), own)].into_iter().chain(entries),
            Err(error) => return reply.error(errno(error)),
        };
        for (number, (name, found)) in (1..).zip(entries).skip(usize::try_from(offset).unwrap_or(usize::MAX)) {
            if reply.add(INodeNo(found.inode), number, file_type(found), name) {
                break;
            }
        }
        reply.ok();
    }

    fn statfs(&self, _request: &Request, _inode: INodeNo, reply: ReplyStatfs) {
        let blocks = |bytes: usize| bytes as u64 / u64::from(BLOCK_BYTES);
        let (all, free) = (blocks(Disk::capacity_bytes()), blocks(self.disk().free_bytes()));
        reply.statfs(all, free, free, u64::MAX / 2, u64::MAX / 2, BLOCK_BYTES, MAX_NAME_BYTES, BLOCK_BYTES);
    }

    fn fallocate(
        &self,
        _request: &Request,
        inode: INodeNo,
        _file: FileHandle,
        offset: u64,
        length: u64,
        mode: i32,
        reply: ReplyEmpty,
    ) {
        const KEEP_SIZE: i32 = 1;
        const PUNCH_HOLE: i32 = 2;
        let mut disk = self.disk();
        let result = match mode {
            0 => disk.attributes(inode.0).and_then(|found| disk.resize(inode.0, found.bytes.max(offset + length))),
            // Allocation that is not visible.
            KEEP_SIZE => disk.attributes(inode.0).map(drop),
            mode if mode == KEEP_SIZE | PUNCH_HOLE => disk.punch_hole(inode.0, offset, length),
            _ => return reply.error(Errno::EOPNOTSUPP),
        };
        done(result, reply);
    }
}

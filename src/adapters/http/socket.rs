//! The socket file: made private, replaced only when it is stale, never taken from a living daemon.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use tokio::net::UnixListener;

use crate::process::files::require_regular;

/// Why the socket cannot be listened on.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// A daemon listens there.
    #[error("another daemon listens on {}: stop it first, or use another --socket", .path.display())]
    Live {
        /// The socket.
        path: PathBuf,
    },
    /// Something else has that name.
    #[error("{} is not a socket and is left alone: use another --socket", .path.display())]
    NotASocket {
        /// The path.
        path: PathBuf,
    },
    /// The directory is another user's.
    #[error("{} belongs to another user ({user}), who could listen in place of dosed: use another --socket", .dir.display())]
    OtherUser {
        /// The directory.
        dir: PathBuf,
        /// The number of the user.
        user: u32,
    },
    /// The system refused.
    #[error("cannot listen on {}", .path.display())]
    Io {
        /// The path.
        path: PathBuf,
        /// The error of the system.
        source: std::io::Error,
    },
}

/// A socket that is listened on; its file goes when this is dropped.
#[derive(Debug)]
pub struct Listener {
    /// Accepts the connections.
    pub socket: Option<UnixListener>,
    path: Option<PathBuf>,
    inode: u64,
    _lock: Option<File>,
}

impl Listener {
    /// Listens on a path; what a killed daemon left there is replaced.
    ///
    /// # Errors
    ///
    /// A living daemon listens there, or something that is no socket has that name, or the system
    /// refuses.
    pub fn bind(path: &Path) -> Result<Self, SocketError> {
        let failed = |source| SocketError::Io { path: path.to_owned(), source };
        if let Some(dir) = path.parent() {
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(failed)?;
            let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
            let own = rustix::process::geteuid().as_raw();
            if let Some(user) = other_owner(std::fs::metadata(dir).map_err(failed)?.uid(), own) {
                return Err(SocketError::OtherUser { dir: dir.to_owned(), user });
            }
        }
        let lock_path = with_suffix(path, ".lock");
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            // The directory may be one that others write to: no waiting for the reader of a FIFO, and no detours.
            .custom_flags((OFlags::NONBLOCK | OFlags::NOFOLLOW).bits().cast_signed())
            .open(&lock_path)
            .and_then(|lock| require_regular(&lock).map(|()| lock))
            .map_err(|source| SocketError::Io { path: lock_path.clone(), source })?;
        if lock.try_lock().is_err() {
            return Err(SocketError::Live { path: path.to_owned() });
        }
        match std::fs::symlink_metadata(path) {
            Ok(found) if !found.file_type().is_socket() => {
                return Err(SocketError::NotASocket { path: path.to_owned() });
            }
            Ok(_) if UnixStream::connect(path).is_ok() => {
                return Err(SocketError::Live { path: path.to_owned() });
            }
            Ok(_) => std::fs::remove_file(path).map_err(failed)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
        let socket = UnixListener::bind(path).map_err(failed)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
        let inode = std::fs::symlink_metadata(path).map_err(failed)?.ino();
        Ok(Self { socket: Some(socket), path: Some(path.to_owned()), inode, _lock: Some(lock) })
    }

    /// Takes over a socket that the service manager listens on; its file is not ours to remove.
    ///
    /// # Errors
    ///
    /// The descriptor cannot be used.
    pub fn activated(socket: std::os::unix::net::UnixListener) -> std::io::Result<Self> {
        socket.set_nonblocking(true)?;
        Ok(Self { socket: Some(UnixListener::from_std(socket)?), path: None, inode: 0, _lock: None })
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let Some(path) = &self.path else { return };
        // Only if it is still the one that was bound here.
        if std::fs::symlink_metadata(path).is_ok_and(|found| found.ino() == self.inode) {
            // The lock's file stays: to remove it would let two daemons hold two locks of one name.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Tells whether a directory has an owner who can be neither trusted nor told anything: the system's own are root's.
fn other_owner(owner: u32, own: u32) -> Option<u32> {
    (owner != own && owner != 0).then_some(owner)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_stale_socket_is_replaced_and_a_living_one_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run/dosed.sock");
        let first = Listener::bind(&path).unwrap();
        assert!(matches!(Listener::bind(&path), Err(SocketError::Live { .. })));
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        drop(first);
        assert!(!path.exists());
        // What a kill -9 leaves: a file that nobody listens on.
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        Listener::bind(&path).unwrap();
        // A daemon of another kind, without our lock, lives all the same.
        let other = std::os::unix::net::UnixListener::bind(&path).unwrap();
        assert!(matches!(Listener::bind(&path), Err(SocketError::Live { .. })));
        drop(other);
    }

    #[tokio::test]
    async fn a_lock_that_others_put_there_is_refused_at_once() {
        let harms: [fn(&Path); 3] = [
            crate::process::files::make_fifo,
            |path| std::os::unix::fs::symlink("elsewhere", path).unwrap(),
            |path| std::fs::create_dir(path).unwrap(),
        ];
        for harm in harms {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("dosed.sock");
            harm(&dir.path().join("dosed.sock.lock"));
            assert!(matches!(Listener::bind(&path), Err(SocketError::Io { .. })));
            assert!(!dir.path().join("elsewhere").exists());
        }
    }

    #[test]
    fn a_directory_of_another_user_is_refused() {
        for (owner, own, refused) in
            [(1000, 1000, None), (0, 1000, None), (1001, 1000, Some(1001)), (1000, 0, Some(1000))]
        {
            assert_eq!(other_owner(owner, own), refused);
        }
    }

    #[tokio::test]
    async fn what_is_not_a_socket_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("dosed.sock");
        std::fs::write(&path, "a diary").unwrap();
        assert!(matches!(Listener::bind(&path), Err(SocketError::NotASocket { .. })));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "a diary");
    }
}

//! Notices that files change (inotify), without polling; it does not read them.
//!
//! Single files are watched through their directories, as editors replace files; one that is reached through links, in
//! the directory of each link too. In a watched directory, any file counts.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ffi::OsString;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::fs::inotify::{self, ReadFlags, WatchFlags};
use tokio::io::unix::AsyncFd;

/// The buffer for the changes that are read at once, in bytes.
const BUFFER_BYTES: usize = 8 * 1024;

/// The most links that are followed on the way to a file, as many as the system follows.
const MAX_LINKS: usize = 40;

/// What changes a file. One that was just created is not written yet: it counts when it is closed. (A link is complete
/// when it is created, and is never closed.)
const FILE_CHANGES: WatchFlags = WatchFlags::CLOSE_WRITE
    .union(WatchFlags::CREATE)
    .union(WatchFlags::MOVED_TO)
    .union(WatchFlags::MOVED_FROM)
    .union(WatchFlags::DELETE)
    .union(WatchFlags::DELETE_SELF)
    .union(WatchFlags::MOVE_SELF)
    // A directory can be watched for several files.
    .union(WatchFlags::MASK_ADD);

/// Where each single file is watched: a directory and a name in it.
type Places = BTreeMap<(i32, OsString), Place>;

/// One place on the way to a file.
#[derive(Debug)]
struct Place {
    path: PathBuf,
    file: PathBuf,
}

/// Watches single files and whole directories.
#[derive(Debug)]
pub struct Watch {
    fd: AsyncFd<Arc<OwnedFd>>,
    follower: Follower,
    dirs: BTreeMap<i32, WatchedDir>,
    /// What has changed and was not returned yet.
    changed: BTreeSet<PathBuf>,
}

#[derive(Debug)]
struct WatchedDir {
    path: PathBuf,
    /// A file that this process writes itself: that it is written to is no news, but that it is replaced is.
    own: PathBuf,
}

/// Lets a [`Watch`] watch files, from any thread: the disk of a file may not respond.
#[derive(Clone, Debug)]
pub struct Follower {
    fd: Arc<OwnedFd>,
    places: Arc<Mutex<Places>>,
}

impl Follower {
    /// Watches a file wherever the links on the way to it lead now, and no longer where they led before.
    pub fn follow(&self, file: &Path) {
        let places = places_of(file).into_iter().filter_map(|(dir, name)| {
            let watch = inotify::add_watch(&self.fd, &dir, FILE_CHANGES).ok()?;
            Some(((watch, name.clone()), Place { path: dir.join(name), file: file.to_owned() }))
        });
        let places: Vec<_> = places.collect();
        let mut known = self.places();
        known.retain(|_, place| place.file != file);
        known.extend(places);
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns each directory in which a name decides where a file is, with that name: those of the links on the way, and
/// that of the file, or of the first directory that is missing.
fn places_of(file: &Path) -> Vec<(PathBuf, OsString)> {
    let mut places = Vec::new();
    let mut dir = PathBuf::from("/");
    let mut left: VecDeque<PathBuf> =
        std::path::absolute(file).iter().flat_map(|file| file.components()).map(component).collect();
    while let Some(next) = left.pop_front() {
        let name = match next.components().next() {
            Some(Component::Normal(name)) => name.to_owned(),
            Some(Component::RootDir) => {
                dir = PathBuf::from("/");
                continue;
            }
            Some(Component::ParentDir) => {
                dir.pop();
                continue;
            }
            _ => continue,
        };
        let path = dir.join(&name);
        if let Ok(target) = std::fs::read_link(&path) {
            places.push((dir.clone(), name));
            if places.len() > MAX_LINKS {
                break;
            }
            for part in target.components().rev() {
                left.push_front(component(part));
            }
        } else if left.is_empty() || !path.is_dir() {
            places.push((dir, name));
            break;
        } else {
            dir = path;
        }
    }
    places
}

fn component(part: Component<'_>) -> PathBuf {
    Path::new(&part).to_owned()
}

impl Watch {
    /// Watches these files; one whose directory does not exist is skipped.
    ///
    /// # Errors
    ///
    /// The system has no more inotify instances.
    pub fn new<'a>(files: impl IntoIterator<Item = &'a Path>) -> std::io::Result<Self> {
        let fd = Arc::new(inotify::init(inotify::CreateFlags::NONBLOCK | inotify::CreateFlags::CLOEXEC)?);
        let follower = Follower { fd: fd.clone(), places: Arc::default() };
        for file in files {
            follower.follow(file);
        }
        #[allow(
            deprecated,
            reason = "its replacement is unsafe; an owned descriptor cannot be closed behind its back"
        )]
        let fd = AsyncFd::new(fd)?;
        Ok(Self { fd, follower, dirs: BTreeMap::new(), changed: BTreeSet::new() })
    }

    /// Returns what watches more files.
    #[must_use]
    pub fn follower(&self) -> Follower {
        self.follower.clone()
    }

    /// Watches the directory of a file that this process writes itself: any change of another file in it counts,
    /// a write that is not finished too, and of the own file all but writes.
    ///
    /// # Errors
    ///
    /// The directory does not exist, or the system watches no more.
    pub fn add_dir_of(&mut self, own: &Path) -> std::io::Result<()> {
        let path = own.parent().unwrap_or(own);
        let changes = WatchFlags::CREATE
            | WatchFlags::MODIFY
            | WatchFlags::CLOSE_WRITE
            | WatchFlags::MOVED_TO
            | WatchFlags::MOVED_FROM
            | WatchFlags::DELETE
            | WatchFlags::MASK_ADD;
        let watch = inotify::add_watch(self.fd.get_ref(), path, changes)?;
        self.dirs.insert(watch, WatchedDir { path: path.to_owned(), own: own.to_owned() });
        Ok(())
    }

    /// Waits until one of the files has changed, and returns it.
    ///
    /// # Errors
    ///
    /// The system cannot be asked any more.
    pub async fn next(&mut self) -> std::io::Result<PathBuf> {
        loop {
            if let Some(changed) = self.changed.pop_first() {
                return Ok(changed);
            }
            let mut ready = self.fd.readable().await?;
            let mut buffer = [MaybeUninit::uninit(); BUFFER_BYTES];
            let mut reader = inotify::Reader::new(ready.get_inner(), &mut buffer);
            loop {
                match reader.next() {
                    Ok(event) => {
                        let places = self.follower.places();
                        self.changed.extend(changed_files(&places, &self.dirs, &event));
                        if reader.is_buffer_empty() && !self.changed.is_empty() {
                            break;
                        }
                    }
                    Err(rustix::io::Errno::AGAIN) => {
                        ready.clear_ready();
                        break;
                    }
                    Err(error) => return Err(error.into()),
                }
            }
        }
    }
}

/// Returns the watched files that an event is about.
fn changed_files(
    places: &Places,
    dirs: &BTreeMap<i32, WatchedDir>,
    event: &inotify::Event<'_>,
) -> Vec<PathBuf> {
    let Some(name) = event.file_name() else {
        // The directory itself was moved or removed.
        let of_dir = places.iter().filter(|((watch, _), _)| *watch == event.wd());
        return of_dir.map(|(_, place)| place.file.clone()).collect();
    };
    let name = OsString::from_vec(name.to_bytes().to_vec());
    if let Some(dir) = dirs.get(&event.wd()) {
        let file = dir.path.join(name);
        let writes = ReadFlags::MODIFY | ReadFlags::CLOSE_WRITE;
        let is_news = file != dir.own || !event.events().intersects(writes);
        return is_news.then_some(file).into_iter().collect();
    }
    let place = places.get(&(event.wd(), name));
    // The content is complete after an event, but for a file that was just created.
    let is_complete = |place: &&Place| {
        !event.events().contains(ReadFlags::CREATE)
            || event.events().contains(ReadFlags::ISDIR)
            || place.path.is_symlink()
    };
    place.filter(is_complete).map(|place| place.file.clone()).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn changes_in_a_directory_are_noticed_but_for_own_writes() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        let mut watch = Watch::new([]).unwrap();
        std::fs::write(path("own"), "a").unwrap();
        watch.add_dir_of(&path("own")).unwrap();
        // A write of the own file comes first, and is not returned.
        std::fs::write(path("own"), "b").unwrap();
        let mut open = std::fs::File::create(path("peer")).unwrap();
        assert_eq!(watch.next().await.unwrap(), path("peer"));
        std::fs::write(path("own"), "c").unwrap();
        std::io::Write::write_all(&mut open, b"more").unwrap();
        assert_eq!(watch.next().await.unwrap(), path("peer"));
        std::fs::rename(path("peer"), path("own")).unwrap();
        let both = [watch.next().await.unwrap(), watch.next().await.unwrap()];
        assert_eq!(both, [path("own"), path("peer")]);
        std::fs::remove_file(path("own")).unwrap();
        assert_eq!(watch.next().await.unwrap(), path("own"));
    }

    #[tokio::test]
    async fn every_file_that_changed_at_once_is_returned() {
        let dir = tempfile::tempdir().unwrap();
        let paths = ["a", "b"].map(|name| dir.path().join(name));
        let mut watch = Watch::new(paths.iter().map(PathBuf::as_path)).unwrap();
        for path in paths.iter().rev() {
            std::fs::write(path, "text").unwrap();
        }
        assert_eq!([watch.next().await.unwrap(), watch.next().await.unwrap()], paths);
    }

    #[tokio::test]
    async fn a_file_behind_links_is_noticed_wherever_it_changes() {
        use std::os::unix::fs::symlink;
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        // The file, a link to a link to it, and a link to the directory of that one.
        for made in ["real", "other", "links"] {
            std::fs::create_dir(path(made)).unwrap();
        }
        std::fs::write(path("real/file"), "a").unwrap();
        std::fs::write(path("other/file"), "a").unwrap();
        symlink("../real/file", path("links/middle")).unwrap();
        symlink("middle", path("links/file")).unwrap();
        symlink("links", path("dir")).unwrap();
        let file = path("dir/file");
        let mut watch = Watch::new([]).unwrap();
        let follower = watch.follower();
        follower.follow(&file);
        let relink = |target: &str, name: &str| {
            symlink(target, path("new")).unwrap();
            std::fs::rename(path("new"), path(name)).unwrap();
        };
        let changes: [&dyn Fn(); 8] = [
            &|| std::fs::write(path("real/file"), "b").unwrap(),
            &|| {
                std::fs::write(path("real/new"), "c").unwrap();
                std::fs::rename(path("real/new"), path("real/file")).unwrap();
            },
            &|| relink("../other/file", "links/middle"),
            &|| std::fs::write(path("other/file"), "d").unwrap(),
            &|| std::fs::remove_dir_all(path("other")).unwrap(),
            // What was missing on the way is there again.
            &|| std::fs::create_dir(path("other")).unwrap(),
            &|| std::fs::write(path("other/file"), "e").unwrap(),
            &|| relink("real", "dir"),
        ];
        for (i, change) in changes.iter().enumerate() {
            change();
            assert_eq!(watch.next().await.unwrap(), file, "{i}");
            follower.follow(&file);
            while tokio::time::timeout(std::time::Duration::ZERO, watch.next()).await.is_ok() {}
        }
        // Where the links no longer lead, nothing is of interest.
        std::fs::write(path("other/file"), "f").unwrap();
        std::fs::write(path("real/file"), "g").unwrap();
        let known: Vec<_> = follower.places().values().map(|place| place.path.clone()).collect();
        assert!(!known.contains(&path("other/file")) && known.contains(&path("real/file")), "{known:?}");
        // A loop has an end.
        symlink("loop", path("loop")).unwrap();
        follower.follow(&path("loop"));
        relink("real/file", "loop");
        let mut changed = [watch.next().await.unwrap(), watch.next().await.unwrap()];
        changed.sort();
        assert_eq!(changed, [file, path("loop")]);
    }
}

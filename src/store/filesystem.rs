//! What kind of file system a path lies on: whether other machines may have it, too.

use std::io;
use std::path::Path;

/// Whether the file system of an existing path is of this machine alone: its locks reach every process
/// that can write to it, and its events tell every change.
///
/// # Errors
/// The system cannot say.
pub fn is_local(path: &Path) -> io::Result<bool> {
    let kind = rustix::fs::statfs(path)?.f_type;
    // Some platforms extend the sign of the 32 bits that it has.
    Ok(u32::try_from(kind & 0xffff_ffff).is_ok_and(local_kind))
}

/// The magic numbers (`statfs(2)`) of file systems that one machine at a time can mount. Whatever is not
/// among them (NFS, SMB, Ceph, Lustre, GPFS, FUSE, 9P, shared disks) may be on other machines as well.
fn local_kind(magic: u32) -> bool {
    matches!(
        magic,
        0x0000_ef53 // ext2, ext3, ext4
            | 0x5846_5342 // xfs
            | 0x9123_683e // btrfs
            | 0x2fc1_2fc1 // zfs
            | 0xf2f5_2010 // f2fs
            | 0xca45_1a4e // bcachefs
            | 0x3153_464a // jfs
            | 0x5265_4973 // reiserfs
            | 0x0000_3434 // nilfs2
            | 0x2405_1905 // ubifs
            | 0x0102_1994 // tmpfs
            | 0x8584_58f6 // ramfs
            | 0x794c_7630 // overlayfs
            | 0x0000_4d44 // fat
            | 0x2011_bab0 // exfat
            | 0x7366_746e // ntfs3
            | 0x0000_482b // hfs+
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn what_other_machines_may_mount_is_not_local() {
        for (name, magic) in [
            ("nfs", 0x6969),
            ("cifs", 0xff53_4d42),
            ("smb2", 0xfe53_4d42),
            ("ceph", 0x00c3_6400),
            ("lustre", 0x0bd0_0bd0),
            ("fuse", 0x6573_5546),
            ("9p", 0x0102_1997),
            ("gfs2", 0x0116_1970),
            ("ocfs2", 0x7461_636f),
            ("something new", 0x1234_5678),
        ] {
            assert!(!local_kind(magic), "{name}");
        }
        for magic in [0xef53, 0x5846_5342, 0x9123_683e, 0x0102_1994, 0x794c_7630] {
            assert!(local_kind(magic), "{magic:x}");
        }
    }

    #[test]
    fn a_path_that_is_not_there_has_no_file_system() {
        let dir = tempfile::tempdir().unwrap();
        is_local(dir.path()).unwrap();
        is_local(&dir.path().join("gone")).unwrap_err();
    }
}

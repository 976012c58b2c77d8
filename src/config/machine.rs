//! What the machine has: memory and CPUs, a container's limits counted.
//!
//! Linux control groups are read directly, the process's own group and every group above it, because the tightest
//! of them rules: <https://docs.kernel.org/admin-guide/cgroup-v2.html> (`memory.max`, `memory.current`) and
//! <https://docs.kernel.org/admin-guide/cgroup-v1/memory.html> (`memory.limit_in_bytes`, `memory.usage_in_bytes`).

use std::fs;
use std::path::Path;
use sysinfo::{MemoryRefreshKind, RefreshKind, System};

/// The least memory that is ever planned with: 128 MiB.
const LEAST_MEMORY: u64 = 128 << 20;

/// Memory and CPUs that this process may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Machine {
    /// Bytes of memory, or the container's limit where that is lower.
    pub total_memory: u64,
    /// Bytes free now: what can be had without swapping, within the container's limit.
    pub free_memory: u64,
    /// CPUs that this process may use at a time, quotas counted.
    pub cpus: usize,
}

impl Machine {
    /// Asks the machine.
    pub fn look() -> Machine {
        let memory = RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram());
        let system = System::new_with_specifics(memory);
        let machine = Machine {
            total_memory: system.total_memory(),
            free_memory: system.available_memory(),
            cpus: num_cpus::get(),
        };
        let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        machine.within_groups(&groups, Path::new("/sys/fs/cgroup"))
    }

    /// The budget when none is asked for: half of what is free, at least 128 MiB.
    pub fn default_memory(&self) -> u64 {
        (self.free_memory / 2).max(LEAST_MEMORY)
    }

    /// The same machine with the limits of the control groups in `groups` (the text of `/proc/self/cgroup`).
    fn within_groups(mut self, groups: &str, root: &Path) -> Machine {
        for line in groups.lines() {
            let mut parts = line.splitn(3, ':');
            let (Some(_), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next()) else {
                continue;
            };
            if controllers.is_empty() {
                self = self.within_path(root, path, ["memory.max", "memory.current", "inactive_file"]);
            } else if controllers.split(',').any(|name| name == "memory") {
                let names = ["memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"];
                self = self.within_path(&root.join("memory"), path, names);
            }
        }
        self
    }

    /// Applies the limits of the group at `path` and of all above it. Inside a container the group's own path often
    /// does not exist below the mount, whose root is then the group itself: the walk ends there in any case.
    fn within_path(mut self, mount: &Path, path: &str, [limit, usage, cached]: [&str; 3]) -> Machine {
        for group in Path::new(path.trim_start_matches('/')).ancestors() {
            let folder = mount.join(group);
            // "max" (version 2) is no number: there is no limit.
            let Some(most) = read_number(&folder.join(limit)) else { continue };
            let used = read_number(&folder.join(usage)).unwrap_or(0);
            // File pages that the kernel drops on demand are as good as free.
            let droppable = read_entry(&folder.join("memory.stat"), cached).unwrap_or(0);
            self.total_memory = self.total_memory.min(most);
            self.free_memory = self.free_memory.min(most.saturating_sub(used.saturating_sub(droppable)));
        }
        self
    }
}

fn read_number(path: &Path) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// A number by its name in a file of `name number` lines.
fn read_entry(path: &Path, name: &str) -> Option<u64> {
    let text = fs::read_to_string(path).ok()?;
    let mut lines = text.lines().filter_map(|line| line.split_once(' '));
    lines.find(|(key, _)| *key == name)?.1.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: Machine = Machine { total_memory: 16 << 30, free_memory: 8 << 30, cpus: 4 };

    fn write(root: &Path, name: &str, text: &str) {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn the_tightest_group_above_the_process_rules() {
        let root = tempfile::tempdir().unwrap();
        write(root.path(), "pod/memory.max", "1073741824\n");
        write(root.path(), "pod/memory.current", "805306368\n");
        write(root.path(), "pod/memory.stat", "anon 5\ninactive_file 268435456\n");
        write(root.path(), "pod/job/memory.max", "max\n");
        let machine = HOST.within_groups("0::/pod/job\n", root.path());
        assert_eq!(machine, Machine { total_memory: 1 << 30, free_memory: 512 << 20, cpus: 4 });
    }

    #[test]
    fn old_control_groups_count_even_when_only_their_mount_is_visible() {
        let root = tempfile::tempdir().unwrap();
        write(root.path(), "memory/memory.limit_in_bytes", "2147483648\n");
        write(root.path(), "memory/memory.usage_in_bytes", "1073741824\n");
        let machine = HOST.within_groups("9:cpu,cpuacct:/\n4:memory:/docker/1234\n0::/\n", root.path());
        assert_eq!(machine, Machine { total_memory: 2 << 30, free_memory: 1 << 30, cpus: 4 });
    }

    #[test]
    fn without_limits_the_machine_is_as_it_is() {
        let root = tempfile::tempdir().unwrap();
        write(root.path(), "memory/memory.limit_in_bytes", "9223372036854771712\n");
        assert_eq!(HOST.within_groups("4:memory:/\n0::/\n", root.path()), HOST);
        assert_eq!(Machine { free_memory: 1 << 20, ..HOST }.default_memory(), 128 << 20);
        assert_eq!(HOST.default_memory(), 4 << 30);
    }

    #[test]
    fn this_machine_has_memory_and_cpus() {
        let machine = Machine::look();
        assert!(machine.cpus >= 1 && machine.total_memory >= machine.free_memory && machine.free_memory > 0);
    }
}

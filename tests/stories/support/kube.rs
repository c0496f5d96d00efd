//! Owns the control plane that all stories of a run share, each story's own place in it, and control planes
//! of one story alone.
//! Does not know what kubectl and helm do there.

use crate::support::story::Story;
use std::fs;
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Which helm a story finds on its PATH.
#[derive(Clone, Copy, Debug)]
pub enum Helm {
    V3,
    V4,
}

/// A story's own namespace in the shared control plane.
pub struct Kube {
    /// No other story has it.
    pub namespace: String,
    /// Names the namespace as the default one; beside the project, 0600, on nobody's path and in no environment.
    pub config: PathBuf,
}

/// Ends with this process: `--while` sees to that, also when it is killed.
static SHARED: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("infra-kube-{}", std::process::id()));
    up(&folder)
});
static NAMESPACES: AtomicUsize = AtomicUsize::new(1);

impl Story {
    /// Puts kubectl and helm on PATH (`helm3` and `helm4` too), and gives the story a namespace in the shared
    /// control plane.
    pub fn kube(&self, helm: Helm) -> Kube {
        self.kube_programs(helm);
        let namespace = format!("story-{}", NAMESPACES.fetch_add(1, Ordering::Relaxed));
        let shared = fs::read_to_string(&*SHARED).expect("a kubeconfig");
        let own = shared.replacen("      user: lab\n", &format!("      user: lab\n      namespace: {namespace}\n"), 1);
        assert_ne!(own, shared, "the kubeconfig has no user: {shared}");
        let kube = Kube { namespace, config: self.base().join("kubeconfig") };
        write_secret(&kube.config, &own);
        self.kubectl(&kube.config, &format!("create namespace {}", kube.namespace));
        // Without it no pod may be made.
        self.kubectl(&kube.config, "wait --for=create serviceaccount/default --timeout=60s");
        kube
    }

    /// A control plane of this story alone, that it may take down (`lab`): its kubeconfig.
    pub fn own_kube(&self, helm: Helm) -> PathBuf {
        self.kube_programs(helm);
        up(&self.base().join("lab"))
    }

    /// `scripts/kube.sh WORD FOLDER` of the story's own control plane, which ends well: what it printed.
    #[track_caller]
    pub fn lab(&self, words: &str) -> String {
        script(&self.base().join("lab"), words)
    }

    /// What kubectl prints, which ends well.
    #[track_caller]
    pub fn kubectl(&self, config: &Path, words: &str) -> String {
        let mut args = vec!["--kubeconfig", config.to_str().expect("text")];
        args.extend(words.split_whitespace());
        self.program_says("kubectl", &args)
    }

    /// What this program of the story's PATH prints, which ends well.
    #[track_caller]
    pub fn program_says(&self, program: &str, args: &[&str]) -> String {
        let path = self.base().join("bin").join(program);
        says(self.command_of(path.to_str().expect("text"), args))
    }

    /// Puts the programs where the project itself looks for them, as `make kube-tools` does.
    pub fn kube_tools_inside(&self) {
        let folder = self.path(".tools/kube");
        fs::create_dir_all(&folder).expect("folders");
        symlink(kube_folder(), folder.join("bin")).expect("a link");
    }

    /// Puts kubectl and helm on PATH, and no cluster.
    pub fn kube_programs(&self, helm: Helm) {
        let folder = kube_folder();
        let helm = match helm {
            Helm::V3 => "helm3",
            Helm::V4 => "helm4",
        };
        for (name, program) in [("kubectl", "kubectl"), ("helm3", "helm3"), ("helm4", "helm4"), ("helm", helm)] {
            let link = self.base().join("bin").join(name);
            let _ = fs::remove_file(&link);
            symlink(folder.join(program), link).expect("a link");
        }
    }
}

/// Where the programs are. They are never done without: a story that needs them fails.
fn kube_folder() -> PathBuf {
    let given = std::env::var_os("INFRA_KUBE_BIN").map(PathBuf::from);
    let folder = given.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join(".tools/kube/bin"));
    for program in ["kubectl", "kubelab", "kine", "kwok", "helm3", "helm4"] {
        assert!(
            folder.join(program).is_file(),
            "{program} is not in {}: run `make kube-tools`, it says what it needs",
            folder.display()
        );
    }
    folder
}

/// A control plane: its kubeconfig.
#[track_caller]
fn up(folder: &Path) -> PathBuf {
    kube_folder();
    PathBuf::from(script(folder, "up"))
}

/// `scripts/kube.sh`; what it brings up lives no longer than this process.
#[track_caller]
fn script(folder: &Path, words: &str) -> String {
    let mut words: Vec<&str> = words.split_whitespace().collect();
    let us = std::process::id().to_string();
    if words.first() == Some(&"up") {
        words.extend(["--while", &us]);
    }
    let (word, rest) = words.split_first().expect("a word");
    let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/kube.sh"));
    command.arg(word).arg(folder).args(rest).stdin(Stdio::null());
    says(command)
}

#[track_caller]
fn says(mut command: Command) -> String {
    let output = command.output().expect("the program starts");
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {}\n{stdout}{stderr}", output.status);
    stdout.trim_end().to_owned()
}

fn write_secret(path: &Path, text: &str) {
    use std::io::Write;
    let _ = fs::remove_file(path);
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).expect("a file");
    file.write_all(text.as_bytes()).expect("written");
}

//! Child processes: shown before they run, and a failure when they fail.

use std::fmt;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Why a step did not pass, in words for the summary.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Runs the command to its end; its output goes where ours goes.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    announce(command);
    let status = command.status().map_err(|error| cannot_start(command, &error))?;
    judge(command, status)
}

/// Runs the command to its end, shows each line of its standard output as it comes, and gives it to `each_line`
/// too.
pub(crate) fn run_and_read(command: &mut Command, mut each_line: impl FnMut(&str)) -> Result<(), Failure> {
    announce(command);
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(|error| cannot_start(command, &error))?;
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).split(b'\n') {
            let line = line.map_err(|error| Failure::new(format!("cannot read its output: {error}")))?;
            let line = String::from_utf8_lossy(&line);
            println!("{line}");
            each_line(&line);
        }
    }
    let status = child.wait().map_err(|error| Failure::new(format!("cannot wait for it: {error}")))?;
    judge(command, status)
}

/// Runs the command and keeps what it printed on both outputs, together with how it ended.
pub(crate) fn capture(command: &mut Command) -> Result<(ExitStatus, String), Failure> {
    announce(command);
    let output = command.output().map_err(|error| cannot_start(command, &error))?;
    let text = [output.stdout, output.stderr].concat();
    Ok((output.status, String::from_utf8_lossy(&text).into_owned()))
}

/// Whether the command ends well within `limit`. It is ended when the time is up.
pub(crate) fn succeeds_within(command: &mut Command, limit: Duration) -> Result<bool, Failure> {
    announce(command);
    let mut child = command.spawn().map_err(|error| cannot_start(command, &error))?;
    let deadline = Instant::now() + limit;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status.success()),
            Ok(None) if Instant::now() < deadline => thread::sleep(Duration::from_millis(50)),
            Ok(None) => {
                println!("   no answer within {} s", limit.as_secs());
                let ended = child.kill().and_then(|()| child.wait());
                return ended.map(|_| false).map_err(|error| Failure::new(format!("cannot end it: {error}")));
            }
            Err(error) => return Err(Failure::new(format!("cannot wait for it: {error}"))),
        }
    }
}

/// The command as one would type it.
pub(crate) fn shown(command: &Command) -> String {
    let environment = command.get_envs().filter_map(|(name, value)| {
        Some(format!("{}={:?}", name.to_string_lossy(), value?.to_string_lossy()))
    });
    let program =
        Path::new(command.get_program()).file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let arguments = command.get_args().map(|argument| argument.to_string_lossy().into_owned());
    environment.chain([program]).chain(arguments).collect::<Vec<_>>().join(" ")
}

fn announce(command: &Command) {
    println!("   $ {}", shown(command));
    // Lines of ours and of the child stay in order when the output is a pipe.
    let _ = io::stdout().flush();
}

fn judge(command: &Command, status: ExitStatus) -> Result<(), Failure> {
    if status.success() { Ok(()) } else { Err(Failure::new(format!("`{}`: {status}", shown(command)))) }
}

fn cannot_start(command: &Command, error: &io::Error) -> Failure {
    Failure::new(format!("`{}` cannot start: {error}", shown(command)))
}

//! A child process that runs this program and ends with it. Both exchange lines of JSON.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::ProcessError;

pub(crate) fn own_program(hidden: &str) -> std::io::Result<Command> {
    Ok(hidden_command(&std::env::current_exe()?, hidden))
}

/// A hidden command of this program, whose file is `program`.
pub(crate) fn hidden_command(program: &Path, hidden: &str) -> Command {
    let mut command = Command::new(program);
    command.arg(hidden);
    command
}

/// A child process, which is killed when this is dropped.
pub(crate) struct ChildProcess(Child);

impl ChildProcess {
    /// Starts it with pipes to all three streams.
    pub(crate) fn start(mut command: Command) -> std::io::Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Ctrl-C is for the parent process, which then ends the child.
        command.process_group(0);
        Ok(Self(command.spawn()?))
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    /// Writes a line of JSON to its standard input.
    pub(crate) fn send(&mut self, message: &impl Serialize) -> std::io::Result<()> {
        self.0.stdin.as_mut().map_or(Ok(()), |stdin| write_line(stdin, message))
    }

    /// The lines of its standard output, read by a thread, so that a receiver can time out. To be called once.
    pub(crate) fn lines(&mut self) -> Receiver<String> {
        let (sender, receiver) = channel();
        let output = self.0.stdout.take();
        std::thread::spawn(move || {
            let mut lines = output.into_iter().flat_map(|output| BufReader::new(output).lines().map_while(Result::ok));
            lines.try_for_each(|line| sender.send(line))
        });
        receiver
    }

    /// Sends `SIGKILL` and waits until it is dead.
    pub(crate) fn kill(&mut self) -> std::io::Result<()> {
        self.0.kill()?;
        self.0.wait().map(drop)
    }

    pub(crate) fn was_killed(&mut self) -> bool {
        let killed = rustix::process::Signal::KILL.as_raw();
        matches!(self.0.try_wait(), Ok(Some(status)) if status.signal() == Some(killed))
    }

    /// Waits for its end. Its error message, or its exit status if it wrote none.
    pub(crate) fn exit_report(&mut self) -> String {
        let mut message = String::new();
        if let Some(stderr) = &mut self.0.stderr {
            // Without a message the exit status is reported.
            let _ = stderr.read_to_string(&mut message);
        }
        let status = self.0.wait().map_or_else(|error| error.to_string(), |status| status.to_string());
        match message.trim() {
            "" => status,
            message => message.trim_start_matches("error: ").to_owned(),
        }
    }
}

impl Drop for ChildProcess {
    fn drop(&mut self) {
        // It may be dead already.
        let _ = self.kill();
    }
}

/// In the child: reads the task from the first line of standard input.
pub(crate) fn read_task<T: DeserializeOwned>(command: &'static str, parent: &'static str) -> Result<T, ProcessError> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    serde_json::from_str(&line).map_err(|source| ProcessError::Task(command, parent, source))
}

/// In the child: writes a line of JSON to standard output.
pub(crate) fn send_to_parent(message: &impl Serialize) -> std::io::Result<()> {
    write_line(&mut std::io::stdout().lock(), message)
}

fn write_line(output: &mut impl Write, message: &impl Serialize) -> std::io::Result<()> {
    let line = format!("{}\n", serde_json::to_string(message)?);
    output.write_all(line.as_bytes())?;
    output.flush()
}

/// In the child: ends this process with its parent. Until then, `on_line` is called with every line of standard input.
pub(crate) fn exit_with_parent(on_line: impl Fn(&str) + Send + 'static) {
    // Where this is refused, the end of standard input has the same effect some milliseconds later.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
    std::thread::spawn(move || {
        std::io::stdin().lock().lines().map_while(Result::ok).for_each(|line| on_line(&line));
        #[expect(clippy::exit, reason = "the parent process is gone")]
        std::process::exit(4);
    });
}

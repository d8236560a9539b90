//! A process that this program starts of itself, and that does not outlive it.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

/// This program once more, with arguments that are still to come.
pub(crate) fn own_program() -> std::io::Result<Command> {
    Ok(Command::new(std::env::current_exe()?))
}

/// A process that does not outlive this value.
pub(crate) struct Running(Child);

impl Running {
    /// Starts it with all three streams in this process's hands.
    pub(crate) fn start(mut command: Command) -> std::io::Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Ctrl-C is for this process, which then ends the other one.
        command.process_group(0);
        Ok(Self(command.spawn()?))
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    /// Says something to it, as one line of JSON on its standard input.
    pub(crate) fn tell(&mut self, said: &impl serde::Serialize) -> std::io::Result<()> {
        let line = format!("{}\n", serde_json::to_string(said)?);
        self.0.stdin.as_mut().map_or(Ok(()), |stdin| stdin.write_all(line.as_bytes()))
    }

    /// What it says on its standard output, line by line. To be asked once.
    pub(crate) fn lines(&mut self) -> Receiver<String> {
        lines(self.0.stdout.take())
    }

    /// `SIGKILL`, and waits until it is dead.
    pub(crate) fn kill(&mut self) -> std::io::Result<()> {
        self.0.kill()?;
        self.0.wait().map(drop)
    }

    /// Whether it died of `SIGKILL`, once it is dead.
    pub(crate) fn was_killed(&mut self) -> bool {
        let killed = rustix::process::Signal::KILL.as_raw();
        matches!(self.0.try_wait(), Ok(Some(status)) if status.signal() == Some(killed))
    }

    /// What it said went wrong, or how it ended.
    pub(crate) fn last_words(&mut self) -> String {
        let mut words = String::new();
        if let Some(stderr) = &mut self.0.stderr {
            // What cannot be read is not said.
            let _ = stderr.read_to_string(&mut words);
        }
        let ended = self.0.wait().map_or_else(|error| error.to_string(), |status| status.to_string());
        match words.trim() {
            "" => ended,
            words => words.trim_start_matches("error: ").to_owned(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may be dead already.
        let _ = self.kill();
    }
}

/// Its lines as they come, read by a thread of its own so that nobody has to wait for them.
fn lines(output: Option<ChildStdout>) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let lines = output.into_iter().flat_map(|output| BufReader::new(output).lines().map_while(Result::ok));
        for line in lines {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}

/// Lets this process die with the one that started it.
pub(crate) fn die_with_parent() {
    // Nothing is said to it any more.
    die_with_parent_hearing(|_| {});
}

/// The same, and hands on what is said to this process until then, line by line.
pub(crate) fn die_with_parent_hearing(heard: impl Fn(&str) + Send + 'static) {
    // Where it is refused, the end of standard input does the same a moment later.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
    std::thread::spawn(move || {
        std::io::stdin().lock().lines().map_while(Result::ok).for_each(|line| heard(&line));
        #[expect(clippy::exit, reason = "whoever wanted this process is gone")]
        std::process::exit(4);
    });
}

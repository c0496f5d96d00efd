//! Owns checks of the world: exec, tcp, http. They look, they change nothing.
//! Does not know which task asks, nor what an answer means for it.

use crate::host::{process, reason, without_numbers};
use crate::model::probe::{Answer, Judge};
use camino::Utf8PathBuf;
use std::collections::BTreeMap;
use std::net::ToSocketAddrs;
use std::time::{Duration, Instant};

/// A command that only looks, and how its end is read.
#[derive(Clone, Debug)]
pub struct Look {
    pub argv: Vec<String>,
    pub dir: Utf8PathBuf,
    pub env: BTreeMap<String, String>,
    pub judge: Judge,
}

/// What is checked.
#[derive(Clone, Debug)]
pub enum Check {
    /// 0 agrees, 1 disagrees, anything else can't tell.
    Exec { argv: Vec<String>, dir: Utf8PathBuf, env: BTreeMap<String, String> },
    /// `host:port` accepts a connection.
    Tcp(String),
    /// A GET answers below 400.
    Http(String),
    /// A kind's own commands, one after the other; the first that does not agree has the word.
    Looks(Vec<Look>),
    /// Could not even be made; why.
    Impossible(String),
}

/// Longest time for one look.
const ONE_LOOK: Duration = Duration::from_secs(10);
/// The same of a kind's own command, which may ask about many things.
const OWN_LOOK: Duration = Duration::from_mins(2);
/// Pause between looks while waiting.
const PAUSE: Duration = Duration::from_millis(250);

impl Check {
    /// Looks once.
    pub fn ask(&self) -> Answer {
        self.look(ONE_LOOK)
    }

    /// Looks until it agrees, for at most `within`.
    ///
    /// # Errors
    /// The last answer, as a lower-case fragment.
    pub fn wait(&self, within: Duration) -> Result<(), String> {
        let until = Instant::now() + within;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let last = match self.look(left.clamp(Duration::from_millis(500), ONE_LOOK)) {
                Answer::Agrees => return Ok(()),
                Answer::Disagrees(text) | Answer::CannotTell(text) => text,
            };
            if matches!(self, Self::Impossible(_)) || Instant::now() + PAUSE > until {
                return Err(format!("not ready within {} s: {last}", within.as_secs_f64()));
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn look(&self, limit: Duration) -> Answer {
        match self {
            Self::Exec { argv, dir, env } => exec(argv, dir, env, limit),
            Self::Tcp(address) => tcp(address, limit),
            Self::Http(url) => http(url, limit),
            Self::Looks(looks) => {
                looks.iter().map(own).find(|answer| *answer != Answer::Agrees).unwrap_or(Answer::Agrees)
            }
            Self::Impossible(why) => Answer::CannotTell(why.clone()),
        }
    }
}

fn exec(argv: &[String], dir: &Utf8PathBuf, env: &BTreeMap<String, String>, limit: Duration) -> Answer {
    match process::query(argv, dir, env, limit) {
        Ok(output) => match output.code {
            Some(0) => Answer::Agrees,
            Some(1) => Answer::Disagrees(format!("`{}` exited with code 1", argv.join(" "))),
            Some(code) => Answer::CannotTell(format!("`{}` exited with code {code}", argv.join(" "))),
            None => Answer::CannotTell(format!("`{}` was ended by a signal", argv.join(" "))),
        },
        Err(error) => Answer::CannotTell(error.to_string()),
    }
}

fn own(look: &Look) -> Answer {
    match process::query(&look.argv, &look.dir, &look.env, OWN_LOOK) {
        Ok(output) => look.judge.read(output.code, &output.stdout, &output.stderr),
        Err(error) => Answer::CannotTell(error.to_string()),
    }
}

fn tcp(address: &str, limit: Duration) -> Answer {
    let resolved = match address.to_socket_addrs() {
        Ok(addresses) => addresses.collect::<Vec<_>>(),
        Err(error) => return Answer::CannotTell(format!("`{address}` is no address: {}", reason(&error))),
    };
    let mut last = format!("`{address}` has no address");
    for one in resolved {
        match std::net::TcpStream::connect_timeout(&one, limit) {
            Ok(_) => return Answer::Agrees,
            Err(error) => last = format!("`{address}` does not accept connections: {}", reason(&error)),
        }
    }
    Answer::Disagrees(last)
}

fn http(url: &str, limit: Duration) -> Answer {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().timeout_global(Some(limit)).http_status_as_error(false).build().into();
    match agent.get(url).call() {
        Ok(response) if response.status().as_u16() < 400 => Answer::Agrees,
        Ok(response) => Answer::Disagrees(format!("`{url}` answers {}", response.status())),
        Err(ureq::Error::BadUri(why)) => Answer::CannotTell(format!("`{url}` is no URL: {why}")),
        Err(error) => Answer::Disagrees(format!("`{url}` does not answer: {}", without_numbers(&error.to_string()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};

    #[test]
    fn tcp_and_http_look_at_the_real_thing() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let server = std::thread::spawn(move || {
            for (index, stream) in listener.incoming().take(3).enumerate() {
                let Ok(mut stream) = stream else { continue };
                if index == 0 {
                    continue;
                }
                let mut buffer = [0u8; 1024];
                let _ = stream.read(&mut buffer);
                let status = if index == 1 { "200 OK" } else { "503 Nope" };
                let _ = write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            }
        });
        assert_eq!(Check::Tcp(address.to_string()).ask(), Answer::Agrees);
        assert_eq!(Check::Http(format!("http://{address}/")).ask(), Answer::Agrees);
        assert!(matches!(Check::Http(format!("http://{address}/")).ask(), Answer::Disagrees(_)));
        server.join().expect("the server ends");
        assert!(matches!(Check::Tcp(address.to_string()).ask(), Answer::Disagrees(_)));
        assert!(matches!(Check::Tcp("nonsense".to_owned()).ask(), Answer::CannotTell(_)));
    }
}

use camino::Utf8Path; use std::collections::BTreeMap;
pub struct PathLocks; pub struct EnvLock; pub struct Holder;
#[derive(Debug)] pub struct LockError; impl std::fmt::Display for LockError { fn fmt(&self,f:&mut std::fmt::Formatter<'_>)->std::fmt::Result{f.write_str("x")}}
#[derive(Debug)] pub struct Held; impl std::fmt::Display for Held { fn fmt(&self,f:&mut std::fmt::Formatter<'_>)->std::fmt::Result{f.write_str("x")}}
impl PathLocks { pub fn try_take(_: &Utf8Path, _: &[String]) -> Result<Option<Self>, LockError> {Ok(Some(Self))} }
impl EnvLock { pub fn try_take(_: &Utf8Path, _: &str, _: &Holder) -> Result<Result<Self, Held>, LockError> {Ok(Ok(Self))} }
impl Holder { pub fn here(_: &str, _: &BTreeMap<String,String>) -> Self { Self } }
pub fn read_holder(_: &Utf8Path, _: &str) -> Option<Holder> { None }

use camino::Utf8Path; use std::collections::BTreeMap; use crate::model::digest::Digest;
pub struct Vault; 
impl Vault { pub fn open(_: &Utf8Path)->Result<Option<Self>,String>{Ok(None)} pub fn open_or_create(_: &Utf8Path)->Result<Self,String>{Ok(Self)}
pub fn keyed(&self,n:&str,b:&[u8])->Digest{Digest::keyed(&[1;32],n,b)} pub fn seal(&self,_:&[u8])->Result<String,String>{Ok(String::new())} pub fn open_sealed(&self,_:&str)->Result<Vec<u8>,String>{Ok(vec![])} }
pub fn read(_:&str,_:&crate::model::environment::Secret,_:&Utf8Path,_:&dyn Fn(&str)->Option<String>,_:&BTreeMap<String,String>)->Result<String,String>{Ok(String::new())}

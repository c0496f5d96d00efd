#!/bin/bash
# Makes a VM template on a Proxmox host out of an Ubuntu cloud image. Run again, it says "unchanged".
#
# Runs on the Proxmox host as root (the role template_prep sends it there). A template that it finds
# under the id and did not make itself, or made of something else, is left alone and reported.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: prepare_template.sh --vmid N --name NAME --url URL --sha256 HEX --storage STORAGE
                           [--bridge BRIDGE] [--cloud-cfg FILE] [--digest HEX] [--replace]

  --vmid N          id of the template (100 to 999999999)
  --name NAME       its name
  --url URL         the cloud image
  --sha256 HEX      its digest, from the SHA256SUMS beside it; anything else is refused
  --storage NAME    storage for the disk
  --bridge NAME     bridge for the network device (vmbr0)
  --cloud-cfg FILE  baked into the image as /etc/cloud/cloud.cfg.d/90-infra.cfg
  --digest HEX      what the template is made from, in one word; kept in its description
                    (default: the first 12 digits of --sha256)
  --replace         make it anew when it was made of something else; machines cloned from it stay

Exit codes: 0 made or unchanged, 1 failed, 2 wrong usage, 3 the id is taken by something else.
TEXT
}

die() {
  local code=$1
  shift
  echo "prepare_template.sh: $*" >&2
  exit "$code"
}

vmid='' name='' url='' sha256='' storage='' bridge=vmbr0 cloud_cfg='' digest='' replace=no
while [ "$#" -gt 0 ]; do
  case $1 in
    --replace)
      replace=yes
      shift
      continue
      ;;
    -h | --help)
      usage
      exit 0
      ;;
    --vmid | --name | --url | --sha256 | --storage | --bridge | --cloud-cfg | --digest)
      [ "$#" -ge 2 ] || die 2 "$1 needs a value"
      ;;
    *) die 2 "unknown argument $1 (see --help)" ;;
  esac
  case $1 in
    --vmid) vmid=$2 ;;
    --name) name=$2 ;;
    --url) url=$2 ;;
    --sha256) sha256=$2 ;;
    --storage) storage=$2 ;;
    --bridge) bridge=$2 ;;
    --cloud-cfg) cloud_cfg=$2 ;;
    --digest) digest=$2 ;;
  esac
  shift 2
done

[[ $vmid =~ ^[1-9][0-9]{2,8}$ ]] || die 2 "--vmid must be a number from 100 to 999999999"
[[ $name =~ ^[A-Za-z0-9][A-Za-z0-9.-]*$ ]] || die 2 "--name must be a host name"
[[ $url =~ ^https:// ]] || die 2 "--url must begin with https://"
[[ $sha256 =~ ^[0-9a-f]{64}$ ]] || die 2 "--sha256 must be 64 hexadecimal digits; it is in the SHA256SUMS beside the image"
[[ -n $storage ]] || die 2 "--storage is missing"
[[ -z $cloud_cfg || -r $cloud_cfg ]] || die 2 "can't read $cloud_cfg"
digest=${digest:-${sha256:0:12}}
[[ $digest =~ ^[0-9a-f]+$ ]] || die 2 "--digest must be hexadecimal"

for tool in qm pvesh curl sha256sum virt-customize virt-sysprep; do
  command -v "$tool" >/dev/null || die 1 "$tool is missing; on the Proxmox host: apt-get install libguestfs-tools curl"
done

# One at a time: two of us would both see that the id is free.
exec 9>"/run/lock/prepare-template-$vmid.lock"
flock -n 9 || die 1 "another one is making template $vmid"

made="infra-template $digest"
unfinished="infra-template-unfinished"

if config=$(qm config "$vmid" 2>/dev/null); then
  described=$(sed -n 's/^description: *//p' <<<"$config" | sed 's/%20/ /g; s/%0A//g')
  if grep -q '^template: 1$' <<<"$config" && [[ $described == "$made" ]]; then
    echo "unchanged $vmid $name $digest"
    exit 0
  fi
  case $described in
    "$unfinished"*) echo "removing what an earlier try left unfinished" ;;
    "infra-template "*)
      [ "$replace" = yes ] || die 3 "$vmid was made of something else ($described, wanted $made): take another --vmid, or give --replace"
      echo "replacing $described"
      ;;
    *) die 3 "$vmid is taken by something that this script did not make" ;;
  esac
  qm destroy "$vmid" --purge
elif pvesh get /cluster/resources --type vm --output-format json | grep -q "\"vmid\":${vmid}[,}]"; then
  die 3 "$vmid is taken on another node of the cluster, or by a container"
fi

# Under its digest, so that a partial download or another image is never taken for it.
cache=/var/lib/infra/image
work=$(mktemp -d /var/tmp/prepare-template.XXXXXX)
trap 'rm -rf "$work"' EXIT
mkdir -p "$cache"
image=$cache/$sha256.img
if ! sha256sum --status -c - <<<"$sha256  $image" 2>/dev/null; then
  curl --fail --location --silent --show-error --retry 3 --output "$work/download" "$url"
  sha256sum --status -c - <<<"$sha256  $work/download" ||
    die 1 "$url has the digest $(sha256sum "$work/download" | cut -d' ' -f1), wanted $sha256"
  mv "$work/download" "$image"
fi

cp "$image" "$work/disk.qcow2"
customize=(--install qemu-guest-agent)
if [ -n "$cloud_cfg" ]; then
  cp "$cloud_cfg" "$work/90-infra.cfg"
  customize+=(--copy-in "$work/90-infra.cfg:/etc/cloud/cloud.cfg.d")
fi
virt-customize --quiet -a "$work/disk.qcow2" "${customize[@]}"
# Machines with one machine-id get one address from DHCP, and one identity in k3s.
virt-sysprep --quiet -a "$work/disk.qcow2" --operations machine-id

qm create "$vmid" --name "$name" --description "$unfinished" \
  --memory 2048 --cores 2 --cpu x86-64-v2-AES \
  --net0 "virtio,bridge=$bridge" --scsihw virtio-scsi-pci \
  --serial0 socket --vga serial0 --agent enabled=1 --ostype l26
qm importdisk "$vmid" "$work/disk.qcow2" "$storage"
# The disk's name depends on the kind of storage: take the one that the import left unused.
disk=$(qm config "$vmid" | sed -n 's/^unused0: *//p')
[ -n "$disk" ] || die 1 "the import left no disk on $vmid"
qm set "$vmid" --scsi0 "$disk,discard=on" --ide2 "$storage:cloudinit" --boot order=scsi0
qm template "$vmid"
# Last: only what is whole is called so.
qm set "$vmid" --description "$made"
echo "made $vmid $name $digest"

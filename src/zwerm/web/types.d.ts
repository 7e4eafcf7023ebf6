// The records of docs/app-api.md.

export interface Entry {
  name: string;
  path: string;
  kind: "file" | "directory" | "symlink";
  size: number;
  cid: string;
  modified: string | null;
  mode: number | null;
  type: string | null;
  target: string | null;
}

export interface Stat extends Entry {
  blocks: number;
  total_size: number;
  history: number;
}

export interface Change {
  version: string | null;
  root: string;
  paths: string[];
  undo?: string;
  entries?: Entry[];
  files?: number;
  size?: number;
}

export interface Listing {
  path: string;
  entry: Entry;
  entries: Entry[];
  total: number;
  next: string | null;
  sorted?: boolean;
}

export interface NodeFacts {
  version: string;
  peer_id: string;
  profile: string;
  repository: string;
  started: string;
  uptime: number;
  state: "ready" | "stopping";
  addresses: { swarm: string[]; api: string; gateway: string; web: string };
  counts: Counts;
  size: { disk: number; maximum: number | null };
  root: string;
  gateway: { path: string; subdomain: string; public: string | null };
  commands: string[];
}

export interface Counts {
  files: number | null;
  directories: number | null;
  pins: number | null;
  blocks: number | null;
  versions: number | null;
}

export interface Share {
  cid: string;
  name: string;
  kind: string;
  links: { ipfs: string; path: string; subdomain: string; public: string | null };
}

export interface Version {
  version: string;
  time: string;
  message: string;
  author: string;
  mine: boolean;
  root: string;
  parents: string[];
  kept: boolean;
  change: { added: number; changed: number; removed: number; renamed: number; more: number };
  touched: { kind: "added" | "changed" | "removed" | "renamed" | "mode"; path: string; source: string | null }[];
  folder: string;
}

export interface Side {
  cid: string;
  size: number;
  kind: string;
}

export interface Difference {
  kind: "added" | "changed" | "removed" | "renamed";
  path: string;
  source: string | null;
  before: Side | null;
  after: Side | null;
}

export interface Comparison {
  from: Version | null;
  to: Version;
  changes: Difference[];
  next: string | null;
}

export interface Link {
  name: string;
  cid: string;
  size: number | null;
  here: boolean;
}

export interface Node {
  cid: string;
  cid_v0: string | null;
  cid_v1: string;
  version: number;
  codec: string;
  hash: string;
  digest: string;
  kind: "file" | "directory" | "hamt" | "symlink" | "raw" | "node";
  size: number;
  content_size: number | null;
  total_size: number | null;
  remainder: string | null;
  value: unknown;
  links: Link[];
  links_total: number;
  next: string | null;
  pinned: null | "direct" | "recursive" | "indirect";
}

export interface OutlineNode {
  cid: string;
  name: string;
  kind: string;
  codec: string;
  size: number;
  depth: number;
  children: number;
  here: boolean;
}

export interface Outline {
  nodes: OutlineNode[];
  edges: [number, number][];
  truncated: boolean;
}

export interface Space {
  path: string;
  disk: number;
  blocks: number;
  maximum: number | null;
  free: number;
  kinds: { kind: "files" | "pins" | "history" | "unused" | "index"; bytes: number; blocks: number }[] | null;
  measured: string | null;
}

export interface Pin {
  cid: string;
  kind: "direct" | "recursive" | "indirect";
  name: string | null;
}

export interface Job {
  id: string;
  kind: "gc" | "verify" | "measure" | "pin";
  state: "running" | "done" | "failed" | "stopped";
  done: number;
  total: number | null;
  unit: "blocks" | "bytes";
  started: string;
  ended: string | null;
  result: any;
  error: Failing | null;
}

export interface Setting {
  key: string;
  value: any;
  default: any;
  type: "text" | "integer" | "boolean" | "size" | "duration" | "list" | "choice" | "address";
  choices: string[] | null;
  doc: string;
  restart: boolean;
  set: boolean;
}

export interface Relay {
  running: boolean;
  urls: string[];
  realm: string | null;
  external: string | null;
  workers: number;
  numbers: Record<string, number>;
}

export interface RelayCredential {
  iceServers: { urls: string[]; username: string; credential: string }[];
  username: string;
  credential: string;
  lifetime: number;
  ends: string;
}

export interface RelayFinding {
  good: boolean;
  words: string;
  verdict: string;
  values: Record<string, string>;
}

export interface Settings {
  profile: string;
  settings: Setting[];
  restart_needed?: boolean;
}

export interface Failing {
  code: string;
  what: string;
  why: string | null;
  do: string | null;
  details: any;
}

export interface Reach {
  cid: string;
  standing:
    | "reachable"
    | "relayed"
    | "unsure"
    | "pending"
    | "offline"
    | "missing"
    | "alone"
    | "untold"
    | "listed"
    | "near"
    | "closed";
  here: boolean;
  told: boolean;
  pending: boolean;
  public: boolean | null;
  peers: number;
  servers: number;
  addresses: OwnAddress[];
}

export interface OwnAddress {
  address: string;
  transport: string;
  relayed: boolean;
  near: boolean;
  reachable: boolean | null;
}

export interface Peer {
  peer: string;
  agent: string;
  address: string;
  transport: string;
  security: string;
  direction: "inbound" | "outbound";
  relayed: boolean;
  near: boolean;
  latency: number | null;
  age: number;
  received: number;
  sent: number;
  rate: number;
}

export interface Network {
  online: boolean;
  peer_id: string;
  reachable: boolean | null;
  relayed: boolean;
  looking: boolean;
  addresses: OwnAddress[];
  received: number;
  sent: number;
  receive_rate: number;
  send_rate: number;
  step: number;
  samples: [number, number][];
  total: number;
  peers: Peer[];
}

export interface PublishedName {
  key: string;
  name: string;
  link?: string | null;
  published: { path: string; sequence: string; signed: string; ends: string; ttl: number } | null;
  history: { path: string; sequence: string; time: string }[];
}

export interface Names {
  online: boolean;
  names: PublishedName[];
}

/**
 * What each setting of the node is called and why one would change it, group by group. A key that is not here is shown
 * with the node's own sentence.
 */

/** @import {Key} from "../language.js" */

/** @typedef {{title: Key, keys: Record<string, [Key, Key]>}} Group label and explanation of each key */

/** @type {Group[]} */
export const GROUPS = [
  {
    title: "settings.storage",
    keys: {
      "storage.max": ["set.storageMax", "set.storageMax.why"],
      "storage.collect_at": ["set.collectAt", "set.collectAt.why"],
      "storage.verify": ["set.storageVerify", "set.storageVerify.why"],
    },
  },
  {
    title: "settings.history",
    keys: {
      "history.record": ["set.historyRecord", "set.historyRecord.why"],
      "history.policy": ["set.historyPolicy", "set.historyPolicy.why"],
    },
  },
  {
    title: "settings.sharing",
    keys: {
      "gateway.public": ["set.gatewayPublic", "set.gatewayPublic.why"],
      "gateway.subdomains": ["set.gatewaySubdomains", "set.gatewaySubdomains.why"],
      "gateway.isolate": ["set.gatewayIsolate", "set.gatewayIsolate.why"],
      "gateway.deserialized": ["set.gatewayPages", "set.gatewayPages.why"],
      "gateway.timeout": ["set.gatewayTimeout", "set.gatewayTimeout.why"],
      "gateway.dnslink": ["set.gatewayNames", "set.gatewayNames.why"],
      "gateway.denylist": ["set.gatewayDenied", "set.gatewayDenied.why"],
    },
  },
  {
    title: "settings.adding",
    keys: {
      "import.profile": ["set.importProfile", "set.importProfile.why"],
      "import.chunker": ["set.importChunker", "set.importChunker.why"],
      "import.hash": ["set.importHash", "set.importHash.why"],
    },
  },
  {
    title: "settings.addresses",
    keys: {
      "addresses.web": ["set.addressWeb", "set.addressWeb.why"],
      "addresses.https": ["set.addressHttps", "set.addressHttps.why"],
      "addresses.plain": ["set.addressPlain", "set.addressPlain.why"],
      "https.cert": ["set.httpsCert", "set.httpsCert.why"],
      "https.key": ["set.httpsKey", "set.httpsKey.why"],
      "https.domain": ["set.httpsDomain", "set.httpsDomain.why"],
      "https.acme_directory": ["set.httpsAcme", "set.httpsAcme.why"],
      "https.acme_trusted": ["set.httpsAcmeTrusted", "set.httpsAcmeTrusted.why"],
      "https.lan": ["set.httpsLan", "set.httpsLan.why"],
      "https.trusted_proxies": ["set.httpsProxies", "set.httpsProxies.why"],
      "https.public_origin": ["set.httpsOrigin", "set.httpsOrigin.why"],
      "addresses.gateway": ["set.addressGateway", "set.addressGateway.why"],
      "addresses.api": ["set.addressApi", "set.addressApi.why"],
      "addresses.swarm": ["set.addressSwarm", "set.addressSwarm.why"],
      bootstrap: ["set.bootstrap", "set.bootstrap.why"],
      "discovery.lan": ["set.discoveryLan", "set.discoveryLan.why"],
      "connect.stun": ["set.connectStun", "set.connectStun.why"],
    },
  },
  {
    title: "settings.network",
    keys: {
      "dns.servers": ["set.dnsServers", "set.dnsServers.why"],
      "pubsub.enabled": ["set.pubsub", "set.pubsub.why"],
      "relay.through": ["set.relayThrough", "set.relayThrough.why"],
      "relay.serve": ["set.relayServe", "set.relayServe.why"],
      "relay.circuit_time": ["set.relayCircuitTime", "set.relayCircuitTime.why"],
      "relay.circuit_data": ["set.relayCircuitData", "set.relayCircuitData.why"],
      "relay.auto": ["set.relayAuto", "set.relayAuto.why"],
      "websocket.cert": ["set.websocketCert", "set.websocketCert.why"],
      "websocket.key": ["set.websocketKey", "set.websocketKey.why"],
      "network.congestion": ["set.networkCongestion", "set.networkCongestion.why"],
      "network.filters": ["set.networkFilters", "set.networkFilters.why"],
      "network.upload": ["set.networkUpload", "set.networkUpload.why"],
      "network.download": ["set.networkDownload", "set.networkDownload.why"],
      "network.connections": ["set.networkConnections", "set.networkConnections.why"],
      "network.port_mapping": ["set.networkPortMapping", "set.networkPortMapping.why"],
      "network.remember": ["set.networkRemember", "set.networkRemember.why"],
      "network.proxy": ["set.networkProxy", "set.networkProxy.why"],
      "routing.dht": ["set.routingDht", "set.routingDht.why"],
      "routing.delegated": ["set.routingDelegated", "set.routingDelegated.why"],
      "provide.strategy": ["set.provideStrategy", "set.provideStrategy.why"],
      "provide.interval": ["set.provideInterval", "set.provideInterval.why"],
      "exchange.gateways": ["set.exchangeGateways", "set.exchangeGateways.why"],
    },
  },
  {
    title: "settings.relay",
    keys: {
      "turn.enabled": ["set.turnEnabled", "set.turnEnabled.why"],
      "addresses.turn": ["set.turnAddress", "set.turnAddress.why"],
      "turn.external": ["set.turnExternal", "set.turnExternal.why"],
      "turn.secret": ["set.turnSecret", "set.turnSecret.why"],
      "turn.realm": ["set.turnRealm", "set.turnRealm.why"],
      "turn.cert": ["set.turnCert", "set.turnCert.why"],
      "turn.key": ["set.turnKey", "set.turnKey.why"],
      "turn.ports": ["set.turnPorts", "set.turnPorts.why"],
      "turn.workers": ["set.turnWorkers", "set.turnWorkers.why"],
      "turn.allow_peers": ["set.turnPeers", "set.turnPeers.why"],
      "turn.user_quota": ["set.turnQuota", "set.turnQuota.why"],
      "turn.user_rate": ["set.turnUserRate", "set.turnUserRate.why"],
      "turn.total_rate": ["set.turnTotalRate", "set.turnTotalRate.why"],
    },
  },
  {
    title: "settings.calls",
    keys: {
      "calls.enabled": ["set.callsEnabled", "set.callsEnabled.why"],
      "calls.origin": ["set.callsOrigin", "set.callsOrigin.why"],
      "calls.registration": ["set.callsRegistration", "set.callsRegistration.why"],
      "calls.smtp": ["set.callsSmtp", "set.callsSmtp.why"],
      "calls.sender": ["set.callsSender", "set.callsSender.why"],
      "calls.store": ["set.callsStore", "set.callsStore.why"],
      "calls.bus": ["set.callsBus", "set.callsBus.why"],
      "calls.peerjs": ["set.callsPeerjs", "set.callsPeerjs.why"],
    },
  },
  {
    title: "settings.access",
    keys: {
      "api.cors": ["set.apiCors", "set.apiCors.why"],
      "api.hosts": ["set.apiHosts", "set.apiHosts.why"],
      "api.version": ["set.apiVersion", "set.apiVersion.why"],
      "api.token": ["set.apiToken", "set.apiToken.why"],
    },
  },
  {
    title: "settings.process",
    keys: {
      profile: ["set.profile", "set.profile.why"],
      "performance.threads": ["set.threads", "set.threads.why"],
      "http.idle": ["set.httpIdle", "set.httpIdle.why"],
      "http.grace": ["set.httpGrace", "set.httpGrace.why"],
      "log.level": ["set.logLevel", "set.logLevel.why"],
      "log.format": ["set.logFormat", "set.logFormat.why"],
    },
  },
];

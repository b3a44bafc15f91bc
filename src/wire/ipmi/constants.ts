/** Numbers of IPMI 2.0, revision 1.1. Commands are Appendix G; every name is the specification's. */

/** §5.1, table 5-1. Responses have the next odd number. */
export const NET_FN = { chassis: 0x00, sensor: 0x04, app: 0x06, storage: 0x0a, transport: 0x0c } as const;

export const APP = {
  getDeviceId: 0x01,
  coldReset: 0x02,
  getSelfTestResults: 0x04,
  getDeviceGuid: 0x08,
  getSystemGuid: 0x37,
  getChannelAuthenticationCapabilities: 0x38,
  getSessionChallenge: 0x39,
  activateSession: 0x3a,
  setSessionPrivilegeLevel: 0x3b,
  closeSession: 0x3c,
  getSessionInfo: 0x3d,
  setChannelAccess: 0x40,
  getChannelAccess: 0x41,
  getChannelInfo: 0x42,
  setUserAccess: 0x43,
  getUserAccess: 0x44,
  setUserName: 0x45,
  getUserName: 0x46,
  setUserPassword: 0x47,
  activatePayload: 0x48,
  deactivatePayload: 0x49,
  getPayloadActivationStatus: 0x4a,
  getPayloadInstanceInfo: 0x4b,
  setUserPayloadAccess: 0x4c,
  getUserPayloadAccess: 0x4d,
  getChannelPayloadSupport: 0x4e,
  getChannelPayloadVersion: 0x4f,
  getChannelCipherSuites: 0x54,
} as const;

export const CHASSIS = {
  getCapabilities: 0x00,
  getStatus: 0x01,
  control: 0x02,
  identify: 0x04,
  setPowerRestorePolicy: 0x06,
  setSystemBootOptions: 0x08,
  getSystemBootOptions: 0x09,
} as const;

export const TRANSPORT = {
  setLanConfiguration: 0x01,
  getLanConfiguration: 0x02,
  setSolConfiguration: 0x21,
  getSolConfiguration: 0x22,
} as const;

export const STORAGE = {
  getFruInventoryAreaInfo: 0x10,
  readFruData: 0x11,
  getSdrRepositoryInfo: 0x20,
  reserveSdrRepository: 0x22,
  getSdr: 0x23,
  getSelInfo: 0x40,
  getSelAllocationInfo: 0x41,
  reserveSel: 0x42,
  getSelEntry: 0x43,
  clearSel: 0x47,
  getSelTime: 0x48,
} as const;

export const SENSOR = {
  getDeviceSdrInfo: 0x20,
  getDeviceSdr: 0x21,
  reserveDeviceSdrRepository: 0x22,
  getSensorHysteresis: 0x25,
  getSensorThresholds: 0x27,
  getSensorEventEnable: 0x29,
  getSensorReading: 0x2d,
} as const;

/** §5.2, table 5-2. */
export const COMPLETION = {
  ok: 0x00,
  nodeBusy: 0xc0,
  invalidCommand: 0xc1,
  invalidForLun: 0xc2,
  timeout: 0xc3,
  outOfSpace: 0xc4,
  reservationCancelled: 0xc5,
  truncated: 0xc6,
  lengthInvalid: 0xc7,
  lengthLimit: 0xc8,
  outOfRange: 0xc9,
  cannotReturnBytes: 0xca,
  notPresent: 0xcb,
  invalidField: 0xcc,
  illegalForSensor: 0xcd,
  noResponse: 0xce,
  duplicated: 0xcf,
  repositoryUpdate: 0xd0,
  firmwareUpdate: 0xd1,
  initializing: 0xd2,
  destinationUnavailable: 0xd3,
  insufficientPrivilege: 0xd4,
  notInThisState: 0xd5,
  subFunctionDisabled: 0xd6,
  unspecified: 0xff,
} as const;

/** §6.3, table 6-2: the channel on which the question is asked. */
export const THIS_CHANNEL = 0x0e;

/** §6.8 */
export const PRIVILEGE = { callback: 1, user: 2, operator: 3, administrator: 4, oem: 5 } as const;
/** Of a user on a channel (§22.26): no access. */
export const NO_ACCESS = 0x0f;

/** §13.6, table 13-8 */
export const AUTHENTICATION = { none: 0, md2: 1, md5: 2, password: 4, oem: 5, plus: 6 } as const;

/** §13.27.3, table 13-16 */
export const PAYLOAD = {
  ipmi: 0x00,
  sol: 0x01,
  oem: 0x02,
  openSessionRequest: 0x10,
  openSessionResponse: 0x11,
  rakp1: 0x12,
  rakp2: 0x13,
  rakp3: 0x14,
  rakp4: 0x15,
} as const;

/** Medium of a channel (§6.5, table 6-3). */
export const MEDIUM = { ipmb: 1, lan: 4, serial: 5, otherLan: 6, systemInterface: 12 } as const;

export const RMCP_PORT = 623;
/** Bytes of a user name and of the two lengths of password (§22.28, §22.30). */
export const USER_NAME = 16;
export const PASSWORD_15 = 16;
export const PASSWORD_20 = 20;

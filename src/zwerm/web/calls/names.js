/** Names of accounts, as the schema of the service has them. What is none is never asked for: it would end the session. */

const NAME = /^[a-z0-9]([a-z0-9._-]{0,30}[a-z0-9])?$/;

/** @param {string} text */
export const isName = (text) => NAME.test(text);

/**
 * What `npm start`, `npm test` and `npm run bench` exit with when they cannot go on. Plain JavaScript, because the
 * first of these is found out by a node that may be too old for anything else.
 *
 * 0 is a stop that was asked for, 1 a failed test or a fault of the program itself.
 */
export const EXIT_CODES = /** @type {const} */ ({
  node_too_old: 10,
  npm_install_failed: 11,
  bad_setting: 12,
  port_in_use: 13,
  /** A package of the system (a browser, PostgreSQL's server) is missing, and only root may install it. */
  missing_package: 14,
  no_compiler: 20,
  mediasoup_build_failed: 21,
  web_build_failed: 22,
  edge_build_failed: 23,
  /** DATABASE_URL is no URL of a Postgres. */
  database_url: 30,
  /** Nobody answers at DATABASE_URL. */
  database_down: 31,
  /** The server at DATABASE_URL knows no such user, password or database. */
  database_refused: 32,
  migration_broken: 33,
  /** Another process uses this DATA_DIR. */
  data_in_use: 34,
  data_broken: 35,
  edge_start_failed: 40,
  sfu_start_failed: 41,
  /** A part that was running has died. */
  part_died: 42,
  turn_start_failed: 43,
});

/** @typedef {keyof typeof EXIT_CODES} SetupFailure */

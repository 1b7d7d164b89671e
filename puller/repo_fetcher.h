/* SPDX-License-Identifier: Apache-2.0 */
/* The fetcher for a release repository: the TUF workflow over a transport, in the sandbox. Its verdict is advice. */
#pragma once

/* Serves one request that comes on sock, and ends the process. (An int, as every child's main.) */
int repo_fetcher_main(int sock);

"""The interfaces of other servers, for their clients as they are: thin faces over the same jobs as `POST /jobs`."""

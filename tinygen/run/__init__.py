"""Running firmware: the protocol, the device, and what it runs on."""

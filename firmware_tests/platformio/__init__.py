"""PlatformIO without its registry: stand-in packages, fake boot loaders, tests with both."""

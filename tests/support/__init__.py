"""What tests share: see "How to test" in CONTRIBUTING.md."""

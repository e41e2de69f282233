"""The messages of the contract, made at run time from the descriptors that ship with it."""

from pathlib import Path

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_RELEASE = Path(__file__).resolve().parents[3] / "proto" / "release.binpb"


def _load() -> descriptor_pool.DescriptorPool:
    files = descriptor_pb2.FileDescriptorSet.FromString(_RELEASE.read_bytes())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    return pool


_POOL = _load()


def message(name: str):
    """The class of a message by its full name."""
    return message_factory.GetMessageClass(_POOL.FindMessageTypeByName(name))


ClientFrame = message("sallyport.gateway.v1.ClientFrame")
ServerFrame = message("sallyport.gateway.v1.ServerFrame")

// For subscriptions where nothing talks over the public network: the app in a subnet of its own, storage and vault
// behind private endpoints. The app itself stays reachable, because Event Grid delivers from outside any network.

@description('Region of the network.')
param location string

@description('Tags of what is made.')
param tags object

@description('Last part of the names.')
param suffix string

@description('Address space of the network: at least /25.')
param addressPrefix string

var appSubnetName = 'app'
var endpointSubnetName = 'endpoints'

resource network 'Microsoft.Network/virtualNetworks@2024-05-01' = {
  name: 'vnet-gallery-fanout-${suffix}'
  location: location
  tags: tags
  properties: {
    addressSpace: {
      addressPrefixes: [
        addressPrefix
      ]
    }
    subnets: [
      {
        name: appSubnetName
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 26, 0)
          delegations: [
            {
              name: 'flex-consumption'
              properties: {
                serviceName: 'Microsoft.App/environments'
              }
            }
          ]
        }
      }
      {
        name: endpointSubnetName
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 27, 2)
          privateEndpointNetworkPolicies: 'Disabled'
        }
      }
    ]
  }

  resource appSubnet 'subnets' existing = {
    name: appSubnetName
  }

  resource endpointSubnet 'subnets' existing = {
    name: endpointSubnetName
  }
}

@description('Resource id of the network.')
output id string = network.id

@description('Resource id of the subnet of the app.')
output appSubnetId string = network::appSubnet.id

@description('Resource id of the subnet of private endpoints.')
output endpointSubnetId string = network::endpointSubnet.id

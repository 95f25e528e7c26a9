<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22.0" styleCategories="Symbology">
 <pipe>
  <rasterrenderer type="singlebandpseudocolor" band="1" alphaBand="-1" classificationMin="-1" classificationMax="1" opacity="1" nodataColor="">
   <minMaxOrigin>
    <limits>None</limits>
    <extent>WholeRaster</extent>
    <statAccuracy>Estimated</statAccuracy>
   </minMaxOrigin>
   <rastershader>
    <colorrampshader colorRampType="INTERPOLATED" classificationMode="1" clip="0" labelPrecision="4" minimumValue="-1" maximumValue="1">
     <colorramp type="gradient" name="[source]">
      <Option type="Map">
       <Option type="QString" name="color1" value="140,81,10,255"/>
       <Option type="QString" name="color2" value="8,48,107,255"/>
       <Option type="QString" name="discrete" value="0"/>
       <Option type="QString" name="rampType" value="gradient"/>
       <Option type="QString" name="stops" value="0.35;223,194,125,255:0.5;246,243,232,255:0.6;158,202,225,255:0.75;33,113,181,255"/>
      </Option>
     </colorramp>
     <item value="-1" color="#8c510a" alpha="255" label="-1: plants"/>
     <item value="-0.3" color="#dfc27d" alpha="255" label="-0.3: plants or dry soil"/>
     <item value="0" color="#f6f3e8" alpha="255" label="0: land below, water above"/>
     <item value="0.2" color="#9ecae1" alpha="255" label="0.2: water"/>
     <item value="0.5" color="#2171b5" alpha="255" label="0.5: open water"/>
     <item value="1" color="#08306b" alpha="255" label="1: open water"/>
     <rampLegendSettings useContinuousLegend="0" orientation="2" direction="0" minimumLabel="" maximumLabel="" prefix="" suffix=""/>
    </colorrampshader>
   </rastershader>
  </rasterrenderer>
 </pipe>
</qgis>
